// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/blocking_connection.hpp>

#include <pipit/client/detail/blocking_wait.hpp>
#include <pipit/client/detail/link.hpp>
#include <pipit/client/error.hpp>
#include <pipit/protocol/error.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <cstdint>
#include <thread>
#include <utility>

namespace pipit::client {

using detail::patience;
using detail::wait_for;

namespace {

/// The thread's side of a connection: it lasts until both are done with it.
struct engine {
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
};

} // namespace

blocking_subscription& blocking_subscription::operator=(blocking_subscription&& other) noexcept {
    if (this == &other) return *this;
    end_and_wait();
    feed_ = std::move(other.feed_);
    return *this;
}

blocking_subscription::~blocking_subscription() { end_and_wait(); }

void blocking_subscription::end_and_wait() noexcept {
    unsubscribe();
    if (feed_) feed_->owner->wait_for_callback(*feed_);
}

result<message> blocking_subscription::next(nanoseconds timeout) {
    if (!feed_) return errc::subscription_ended;
    return feed_->owner->wait_for_next(*feed_, timeout);
}

result<message> blocking_subscription::next() {
    if (!feed_) return errc::subscription_ended;
    return feed_->owner->wait_for_next(*feed_, {});
}

std::optional<message> blocking_subscription::try_next() {
    return feed_ ? feed_->owner->try_next(*feed_) : std::nullopt;
}

void blocking_subscription::unsubscribe(std::uint64_t max) {
    if (feed_) feed_->owner->unsubscribe(feed_, max);
}

result<> blocking_subscription::drain() {
    if (!feed_) return errc::subscription_ended;
    auto& link = *feed_->owner;
    return wait_for<void>(feed_->owner, patience{link.options().drain_timeout},
                          [&](auto done) { link.drain(feed_, std::move(done)); });
}

const std::string& blocking_subscription::subject() const noexcept {
    static const std::string none;
    return feed_ ? feed_->subject : none;
}

bool blocking_subscription::is_active() const { return feed_ && feed_->owner->is_active(*feed_); }

subscription_statistics blocking_subscription::statistics() const {
    return feed_ ? feed_->owner->statistics(*feed_) : subscription_statistics{};
}

struct blocking_connection::state {
    explicit state(connection_options options)
        : link(detail::link::make(runs->io.get_executor(), std::move(options),
                                  detail::face::blocking)) {}

    std::shared_ptr<engine> runs = std::make_shared<engine>();
    std::shared_ptr<detail::link> link;
    std::thread thread{[its = runs, of = link] {
        its->io.run();
        of->see_sleepers_off(); // They may use the socket, which is the engine's.
    }};
};

blocking_connection::blocking_connection(connection_options options)
    : state_(std::make_unique<state>(std::move(options))) {}

blocking_connection::~blocking_connection() {
    if (state_->link->is_forked()) {
        // Its thread cannot be joined here, and what both use can only be left as it is.
        [[maybe_unused]] const auto* const left_to_the_parent = state_.release();
        return;
    }
    const bool is_own_thread = state_->thread.get_id() == std::this_thread::get_id();
    if (is_own_thread) { // In a callback: nobody is there to be told later.
        state_->link->silence();
    } else {
        state_->link->silence_what_is_not_over();
    }
    state_->link->close();
    // Behind the turn that tells everybody that it is closed.
    asio::post(state_->runs->io, [its = state_->runs] {
        its->work.reset();
        its->io.stop();
    });
    if (is_own_thread) {
        state_->thread.detach(); // It ends when the callback has returned.
    } else {
        state_->thread.join();
    }
}

const std::shared_ptr<detail::link>& blocking_connection::internals() const noexcept {
    return state_->link;
}

result<> blocking_connection::connect() {
    const auto link = state_->link; // Another thread may destroy this meanwhile.
    if (auto may = link->may_wait(); !may) return may;
    if (auto known = link->try_connect()) return std::move(*known);
    const nanoseconds time = link->options().connect_timeout;
    auto connected = wait_for<void>(link, patience{time, time},
                                    [&](auto done) { link->connect(std::move(done)); });
    const bool is_given_up =
        !connected && connected.error() == protocol::errc::timeout && !link->is_connected();
    if (is_given_up) link->close(); // Nobody would know of a later success.
    return connected;
}

result<> blocking_connection::publish(bytes_view subject, bytes_view payload,
                                      const publish_options& options) {
    auto& link = *state_->link;
    auto queued = link.publish(subject, payload, options);
    if (queued || queued.error() != protocol::errc::output_full) return queued;
    return link.wait_for_publication(subject, payload, options);
}

result<blocking_subscription> blocking_connection::subscribe(bytes_view subject,
                                                             subscribe_options options) {
    return subscribe(subject, nullptr, std::move(options));
}

result<blocking_subscription> blocking_connection::subscribe(bytes_view subject,
                                                             std::function<void(message)> callback,
                                                             subscribe_options options) {
    auto made = state_->link->subscribe(subject, std::move(callback), options);
    if (!made) return made.error();
    return blocking_subscription(std::move(*made));
}

result<message> blocking_connection::request(bytes_view subject, bytes_view payload,
                                             request_options options) {
    return state_->link->wait_for_request(subject, payload, options);
}

result<std::vector<message>> blocking_connection::request_many(bytes_view subject,
                                                               bytes_view payload,
                                                               request_many_options options) {
    auto& link = *state_->link;
    if (auto may = link.may_wait(); !may) return may.error();
    const auto until =
        detail::deadline_of(options.timeout.value_or(link.options().request_timeout));
    // Asked here, by the thread that waits: no callback holds that up.
    const auto is_last = std::exchange(options.is_last, nullptr);
    const auto answers = link.request_many(subject, payload, options);
    if (!answers) return answers.error();
    const auto cancel = [&link](detail::feed* of) { link.cancel(*of); };
    const std::unique_ptr<detail::feed, decltype(cancel)> ends(answers->get(), cancel);
    std::vector<message> all;
    for (;;) {
        auto next = link.wait_for_answer(**answers, until);
        if (!next && all.empty()) return next.error();
        if (!next || !*next || (is_last && is_last(**next))) return all;
        all.push_back(std::move(**next));
    }
}

result<> blocking_connection::respond(const message& request, bytes_view payload,
                                      publish_options options) {
    if (request.reply().empty()) return state_->link->respond(request, payload, options);
    return publish(request.reply(), payload, options);
}

result<> blocking_connection::flush(std::optional<nanoseconds> timeout) {
    const auto took = state_->link->wait_for_flush(timeout);
    return took ? result<>() : took.error();
}

result<nanoseconds> blocking_connection::rtt() { return state_->link->wait_for_flush({}); }

result<> blocking_connection::drain() {
    const auto& link = state_->link;
    return wait_for<void>(link, patience{link->options().drain_timeout},
                          [&](auto done) { link->drain(std::move(done)); });
}

void blocking_connection::close() { state_->link->close(); }
void blocking_connection::reconnect() { state_->link->reconnect(); }
result<> blocking_connection::renew_credentials() { return state_->link->renew_credentials(); }
std::string blocking_connection::new_inbox() { return state_->link->new_inbox(); }
bool blocking_connection::is_connected() const { return state_->link->is_connected(); }
bool blocking_connection::is_closed() const { return state_->link->is_closed(); }
protocol::server_info blocking_connection::server_info() const {
    return state_->link->server_info();
}
std::string blocking_connection::connected_server() const {
    return state_->link->connected_server();
}
std::vector<std::string> blocking_connection::servers() const { return state_->link->servers(); }
protocol::session_statistics blocking_connection::statistics() const {
    return state_->link->statistics();
}

} // namespace pipit::client
