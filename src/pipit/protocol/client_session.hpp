// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/random.hpp>
#include <pipit/base/time.hpp>
#include <pipit/protocol/client_protocol.hpp>
#include <pipit/protocol/detail/operation_table.hpp>
#include <pipit/protocol/message.hpp>
#include <pipit/protocol/nuid.hpp>
#include <pipit/protocol/session_events.hpp>

#include <cstdint>
#include <list>
#include <optional>
#include <string>

namespace pipit::protocol {

struct client_session_options {
    client_options protocol;
    std::string inbox_prefix{default_inbox_prefix};
};

struct session_statistics {
    std::uint64_t received_messages = 0;
    std::uint64_t received_bytes = 0; ///< Of the transport.
    std::uint64_t sent_messages = 0;
    std::uint64_t sent_bytes = 0;
    std::uint64_t connects = 0; ///< The first one and all reconnects.
};

/// What a NATS client decides beyond the wire, without any I/O: requests with their shared inbox
/// and timeouts, flushing, draining. The drivers (Asio, blocking, the simulation) share it.
///
/// It is driven as a `client_protocol` is; every operation that got an id is answered exactly once,
/// whatever is cut, at the latest before `closed`. Where input and a deadline are due at once, read
/// first: what is here is not late.
///
/// An operation that went over a connection ends with it; one that was asked for while there was
/// none goes over the next.
///
/// A server that is about to stop (`lame_duck`) is left for another one, if there is one, so that
/// nothing is lost by it: at a time of chance within 2 s, when no request or exchange is under way,
/// though at the latest after 10 s; and when everything that was on its way is here.
///
/// Threads: one at a time.
/// Source: ADR-40, ADR-47; client-protocol.
class client_session {
public:
    client_session(client_session_options options, random_source random);

    /// The driver's side, as in `client_protocol`.
    void start(steady_time now) { protocol_.start(now); }
    void transport_opened(steady_time now) { protocol_.transport_opened(now); }
    void tls_established(steady_time now) { protocol_.tls_established(now); }
    void transport_closed(steady_time now, error why = {});
    [[nodiscard]] std::span<char> prepare() { return protocol_.prepare(); }
    void commit(std::size_t received_bytes, steady_time now);
    [[nodiscard]] std::optional<session_event> next_event();
    [[nodiscard]] bytes_view pending_output() const noexcept { return protocol_.pending_output(); }
    void consume_output(std::size_t sent_bytes);
    void take_output(std::string& into);
    [[nodiscard]] std::optional<steady_time> next_deadline() const noexcept;
    void expire(steady_time now);
    void excuse_silence() noexcept { protocol_.excuse_silence(); }
    /// Answers `connect_requested`. While connected, it says again who this is.
    void connect(const credentials& who) { protocol_.connect(who); }

    /// A message of its own from the last `subscription_message`: shares its block, or copies.
    [[nodiscard]] message keep(const message_received& received) const;

    /// Errors: as of `client_protocol`; `errc::draining`.
    [[nodiscard]] result<> publish(const publication& message);
    [[nodiscard]] result<sid> subscribe(bytes_view subject, bytes_view queue = {});
    /// Ends at once, without `subscription_ended`; with `max`, after so many since it began, and
    /// then it is told.
    void unsubscribe(sid subscription, std::uint64_t max = 0);
    /// Tells the server to send no more, and ends the subscription when what was on its way is
    /// here.
    void drain(sid subscription, steady_time now, nanoseconds timeout);

    /// Publishes with a reply subject of the shared inbox; `message.reply` is ignored.
    /// Errors: as `publish`; `errc::output_full` with too many operations under way, too.
    [[nodiscard]] result<operation_id> request(const publication& message, steady_time now,
                                               nanoseconds timeout);
    [[nodiscard]] result<operation_id> request_many(const publication& message, steady_time now,
                                                    request_many_limits limits);
    /// Answered when the server has taken everything that was published before.
    /// Errors: `errc::output_full`; `errc::closed`.
    [[nodiscard]] result<operation_id> flush(steady_time now, nanoseconds timeout);
    /// Ends an operation: answered with `errc::cancelled`, `request_many` with
    /// `replies_end::cancelled`. Nothing for one that was answered.
    void cancel(operation_id id);

    /// Drains all subscriptions, waits for requests that are under way, sends what is queued, and
    /// closes. `closed` says whether all of it was done. To let users work off the messages that
    /// wait in the driver, and publish, `drain` each subscription before; the time has run since
    /// `began`, if that was earlier.
    void drain_all(steady_time now, nanoseconds timeout, std::optional<steady_time> began = {});
    void reconnect(steady_time now) { protocol_.reconnect(now); }
    /// Something of the driver's is under way that needs this connection: a server that is about to
    /// stop is left as if it was a request.
    void begin_exchange() noexcept { ++exchanges_; }
    void end_exchange() noexcept { --exchanges_; }
    /// Leaves no server that is about to stop: before a `close`, so that what was published goes
    /// over this connection.
    void stay();
    void close() { protocol_.close(); }

    /// A subject for replies that nobody else subscribes to.
    [[nodiscard]] std::string new_inbox() { return make_inbox(names_, options_.inbox_prefix); }

    [[nodiscard]] bool is_connected() const noexcept { return protocol_.is_connected(); }
    [[nodiscard]] bool is_closed() const noexcept { return protocol_.is_closed(); }
    [[nodiscard]] const server_info& info() const noexcept { return protocol_.info(); }
    [[nodiscard]] const server_pool& pool() const noexcept { return protocol_.pool(); }
    [[nodiscard]] const session_statistics& statistics() const noexcept { return statistics_; }
    /// The number of the connection that what is published now goes over, as `connects` counts.
    [[nodiscard]] std::uint64_t next_connection() const noexcept {
        return sends() ? connection_ : connection_ + 1;
    }

private:
    using operation = detail::pending_operation;
    enum class draining : std::uint8_t { no, subscriptions, requests, publications };
    enum class leaving : std::uint8_t { no, soon, prepared };

    class translator;

    void begin_connection();
    void lose_connection();
    void close_everything(const error& why);
    void receive_error(const error_received& received);
    void receive_pong();
    [[nodiscard]] bool ping_for(operation& waiting);
    void ping_for_drain(operation& waiting);
    void ping_for_next_drain();
    void end_drain(operation& ended, error why);
    void end_subscription(sid subscription, error why);
    void end_all_subscriptions(const error& why);
    [[nodiscard]] bool advance_draining();
    [[nodiscard]] operation* add_operation(operation::kind what, nanoseconds timeout) {
        return add_operation(what, timeout, now_);
    }
    [[nodiscard]] operation* add_operation(operation::kind what, nanoseconds timeout,
                                           steady_time began);
    /// What is published now goes over this connection.
    [[nodiscard]] bool sends() const noexcept { return is_connected() && !protocol_.is_leaving(); }

    // Leaving a server (client_session_leaving.cpp).
    void notice_lame_duck();
    [[nodiscard]] bool advance_leaving();
    [[nodiscard]] std::optional<steady_time> next_step_of_leaving() const noexcept;

    // Requests, and how operations end (client_session_requests.cpp).
    [[nodiscard]] static bool is_request(const operation& any) noexcept;
    [[nodiscard]] result<operation*> begin_request(operation::kind what, const publication& message,
                                                   nanoseconds timeout);
    [[nodiscard]] operation* find_request(bytes_view reply_subject) noexcept;
    [[nodiscard]] std::optional<session_event> receive_reply(const message_received& received);
    [[nodiscard]] std::optional<session_event> receive_one_of_many(operation& request,
                                                                   message reply);
    void refuse_requests(const error_received& refused, const error& why);
    void expire_operation(operation& late);
    [[nodiscard]] std::string where_it_waits(const operation& late) const;
    [[nodiscard]] std::string lost_text(const operation& lost) const;
    void answer(operation& ended, error why);
    void end_replies(operation& ended, result<replies_end> how);
    void erase_request(operation& ended) noexcept;

    client_session_options options_;
    client_protocol protocol_;
    nuid names_;
    detail::operation_table operations_;
    std::list<session_event> events_; ///< As `pings_` nearly always empty, and a list for that.
    session_statistics statistics_;
    steady_time now_{};

    std::uint64_t connection_ = 0;  ///< Counts them.
    std::string server_;            ///< Of the connection, or of the last one; for texts.
    std::list<operation_id> pings_; ///< Those that asked for a PONG, in order.
    std::list<operation_id> drains_without_ping_; ///< While there are as many as there may be.

    std::string inbox_;                ///< With the dot before a request's number.
    std::optional<sid> inbox_sid_;     ///< When it is subscribed to.
    std::string reply_;                ///< The reply subject of the last request.
    std::optional<steady_time> grace_; ///< Nothing is late until then.
    draining draining_ = draining::no;
    operation_id drain_operation_{};
    std::size_t requests_ = 0;  ///< Under way.
    std::size_t exchanges_ = 0; ///< The driver's.

    leaving leaving_ = leaving::no;
    random_source chance_;
    steady_time leaves_at_{}; ///< Not earlier.
    steady_time leaves_by_{}; ///< Whatever is under way.
};

} // namespace pipit::protocol
