// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/detail/event_loop_state.hpp>
#include <pipit/net/event_loop.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace pipit::net {

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
    state_->timer.expires_at(when); // Cancels the later one.
    state_->timer.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        state_->wakes_at = steady_time::max();
        state_->expired();
    });
}

} // namespace pipit::net
