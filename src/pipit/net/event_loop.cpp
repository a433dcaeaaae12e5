// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/clock.hpp>
#include <pipit/net/detail/event_loop_state.hpp>
#include <pipit/net/event_loop.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace pipit::net {
namespace {

/// A loop that wakes so much too late did not run: its process was stopped, or its machine busy.
constexpr std::chrono::seconds suspended{1};
/// What it then takes to read what has come meanwhile: Asio looks at 128 sockets between two looks
/// at the clock.
constexpr std::chrono::seconds resume_grace{1};

/// One timer that is late in that way: what has come to the sockets goes first. Nobody is late whom
/// nobody could hear.
void wait_until(event_loop::state& of, steady_time when, bool has_had_grace) {
    of.timer.expires_at(when); // Cancels the later one.
    of.timer.async_wait([&of, has_had_grace](const boost::system::error_code& error) {
        if (error) return;
        const auto now = steady_now();
        if (!has_had_grace && now - of.wakes_at >= suspended) {
            return wait_until(of, now + resume_grace, true);
        }
        of.wakes_at = steady_time::max();
        of.expired();
    });
}

} // namespace

event_loop::event_loop() : state_(std::make_unique<state>()) {}
event_loop::~event_loop() = default;

void event_loop::run() {
    const auto work = asio::make_work_guard(state_->context);
    state_->context.run();
}

void event_loop::stop() { state_->context.stop(); }

void event_loop::post(std::function<void()> task) { asio::post(state_->context, std::move(task)); }

void event_loop::on_deadline(std::function<void()> expired) {
    state_->expired = std::move(expired);
}

void event_loop::wake_at(steady_time when) {
    if (state_->wakes_at <= when) return;
    state_->wakes_at = when;
    wait_until(*state_, when, false);
}

} // namespace pipit::net
