// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/options.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pipit::client {

namespace detail {
struct feed;
class link;
} // namespace detail

/// Messages of one subject, for a `blocking_connection`. It ends as a `subscription` does, and may
/// outlive the connection: what had come before can still be taken.
///
/// The destructor waits for its callback, when that is running in another thread: what it uses may
/// be destroyed next. So no lock that the callback wants may be held meanwhile; `unsubscribe` does
/// not wait.
///
/// Threads: any, several at the same time.
class [[nodiscard]] blocking_subscription {
public:
    blocking_subscription() noexcept = default; ///< Of nothing: it has ended.
    explicit blocking_subscription(std::shared_ptr<detail::feed> messages) noexcept
        : feed_(std::move(messages)) {}
    blocking_subscription(blocking_subscription&&) noexcept = default;
    blocking_subscription& operator=(blocking_subscription&& other) noexcept;
    ~blocking_subscription();

    /// Waits for the next message. Not with a callback, which takes them all.
    /// Errors: `protocol::errc::timeout`; `errc::subscription_ended`, with why;
    ///         `errc::would_deadlock`.
    [[nodiscard]] result<message> next(nanoseconds timeout);
    [[nodiscard]] result<message> next(); ///< However long it takes.
    /// One that is here already.
    [[nodiscard]] std::optional<message> try_next();

    /// Ends it now; with `max`, when so many messages have come since it began, dropped ones
    /// among them: of those that wait, what is beyond that is thrown away.
    void unsubscribe(std::uint64_t max = 0);
    /// Tells the server to send no more and waits until what was on its way is here (and, with a
    /// callback, handed out). What waits for `next` can still be taken.
    /// Errors: as of `subscription::drain`; `errc::would_deadlock`.
    [[nodiscard]] result<> drain();

    [[nodiscard]] const std::string& subject() const noexcept;
    [[nodiscard]] bool is_active() const;
    [[nodiscard]] subscription_statistics statistics() const;

    /// `for (const auto& message : subscription)`: waits for each of them, until it has ended.
    class iterator {
    public:
        using value_type = message;
        using difference_type = std::ptrdiff_t;

        explicit iterator(blocking_subscription& of) : of_(&of) { ++*this; }
        const message& operator*() const noexcept { return *current_; }
        const message* operator->() const noexcept { return &*current_; }
        iterator& operator++() {
            auto next = of_->next();
            current_ = next ? std::optional(std::move(*next)) : std::nullopt;
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept {
            return !at.current_;
        }

    private:
        blocking_subscription* of_;
        std::optional<message> current_;
    };
    [[nodiscard]] iterator begin() { return iterator(*this); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

private:
    void end_and_wait() noexcept;

    std::shared_ptr<detail::feed> feed_;
};

/// A connection for programs without an event loop: the same features and names as `connection`.
/// One thread of its own keeps it alive: it answers the server's pings, reconnects, and calls
/// callbacks and `on_event`; no other thread does. From inside those, what would wait fails with
/// `errc::would_deadlock`. A thread that waits reads its answer itself, when no callback is due.
///
/// The destructor closes, and waits for a callback that is running. What other threads wait for
/// then fails with `protocol::errc::closed`. An exception that a callback lets out becomes an
/// `event::asynchronous_error` with `errc::callback_threw`; one out of `on_event` is lost.
///
/// While a callback runs, nothing else goes on. What has a time limit (`connect_timeout`,
/// `drain_timeout`, `request_timeout`, `idle_timeout` of a chunk stream) ends in its time all the
/// same, with `protocol::errc::timeout`; `next()` has none.
///
/// After a `fork`, the child can only destroy it, and its subscriptions, which disturbs nobody:
/// everything else fails with `errc::made_before_fork`. The child may make others.
///
/// Threads: any, several at the same time.
class blocking_connection {
public:
    /// Not connected yet.
    explicit blocking_connection(connection_options options = {});
    ~blocking_connection();
    blocking_connection(const blocking_connection&) = delete;
    blocking_connection& operator=(const blocking_connection&) = delete;

    /// Closes when a callback holds it up. Errors: as of `connection::connect`.
    [[nodiscard]] result<> connect();
    /// Waits while `pending_output_bytes_max` is reached and the server reads; otherwise it only
    /// queues. Errors: as of `connection::publish`, which waits for no server either.
    [[nodiscard]] result<> publish(bytes_view subject, bytes_view payload,
                                   const publish_options& options = {});
    [[nodiscard]] result<blocking_subscription> subscribe(bytes_view subject,
                                                          subscribe_options options = {});
    /// `callback` runs on the connection's thread, and nothing else of the connection meanwhile.
    [[nodiscard]] result<blocking_subscription> subscribe(bytes_view subject,
                                                          std::function<void(message)> callback,
                                                          subscribe_options options = {});
    /// Errors: as of `connection::request`.
    [[nodiscard]] result<message> request(bytes_view subject, bytes_view payload,
                                          request_options options = {});
    /// Waits for all of them. `is_last` is called by the thread that waits, which gets what it
    /// throws. Errors: as of `replies::next`, when there was none.
    [[nodiscard]] result<std::vector<message>> request_many(bytes_view subject, bytes_view payload,
                                                            request_many_options options = {});
    [[nodiscard]] result<> respond(const message& request, bytes_view payload,
                                   publish_options options = {});
    /// The time limit is `request_timeout`, unless there is another one.
    [[nodiscard]] result<> flush(std::optional<nanoseconds> timeout = {});
    [[nodiscard]] result<nanoseconds> rtt();
    /// As of `connection`, but of what waits for `next` it only waits for what another thread
    /// takes, which asked for that subscription's last message. The rest can be taken afterwards.
    [[nodiscard]] result<> drain();
    /// `event::closed` follows, at the latest before the destructor returns (but in a callback).
    void close();
    void reconnect();
    /// As of `connection`.
    [[nodiscard]] result<> renew_credentials();

    [[nodiscard]] std::string new_inbox();
    [[nodiscard]] bool is_connected() const;
    [[nodiscard]] bool is_closed() const;
    [[nodiscard]] protocol::server_info server_info() const;
    [[nodiscard]] std::string connected_server() const;
    [[nodiscard]] std::vector<std::string> servers() const;
    [[nodiscard]] protocol::session_statistics statistics() const;

    /// For the rest of this library.
    [[nodiscard]] const std::shared_ptr<detail::link>& internals() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace pipit::client
