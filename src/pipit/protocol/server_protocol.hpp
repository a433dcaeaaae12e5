// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/base/time.hpp>
#include <pipit/protocol/close_reason.hpp>
#include <pipit/protocol/connect.hpp>
#include <pipit/protocol/detail/input_queue.hpp>
#include <pipit/protocol/detail/output_queue.hpp>
#include <pipit/protocol/info.hpp>
#include <pipit/protocol/writer.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <variant>

namespace pipit::protocol {

struct server_options {
    /// The first INFO. With `auth_required`, `connect_received` waits for an answer.
    server_info info;
    std::size_t max_control_line_bytes = limits::max_control_line_bytes;
    std::size_t max_pending_bytes = limits::max_pending_bytes;
    std::chrono::milliseconds auth_timeout = limits::auth_timeout;
    std::chrono::milliseconds ping_interval = limits::ping_interval;
    int ping_max = limits::ping_max;
};

/// With `auth_required`: call `accept` or `refuse`; nothing else is read before.
struct connect_received {
    connect_options options;
};
/// Lifetime of its views: until the next `prepare()` or `next_event()`.
struct publication_received {
    publication message;
};
/// The subject is valid.
struct subscription_received {
    std::string subject;
    std::string queue;
    std::string sid;
};
struct unsubscription_received {
    std::string sid;
    std::uint64_t max = 0; ///< 0: at once.
};
/// The end: write the pending output, then close the transport.
struct session_closed {
    close_reason reason = close_reason::none;
};

using server_event = std::variant<connect_received, publication_received, subscription_received,
                                  unsubscription_received, session_closed>;

/// The server's side of one NATS connection, without any I/O and without routing: the mirror of
/// `client_protocol`, for tests and for programs that answer a client themselves. (Pipit's server
/// gives the parser a visitor instead.)
///
/// It greets with INFO, answers PING, says +OK to a verbose client, refuses what is malformed or
/// too large, and looks after an idle client.
///
/// The driver repeats: read into `prepare()`, `commit()` what arrived, drain `next_event()`, write
/// `pending_output()`, and call `expire()` when `next_deadline()` passes.
///
/// Threads: one at a time.
class server_protocol {
public:
    server_protocol(server_options options, steady_time now);

    /// Free space to read into. Empty only while an answer to `connect_received` is due and the
    /// client has sent a lot: read again when it was given.
    /// Lifetime: until `commit()`. Ends the life of every view an earlier event carried.
    [[nodiscard]] std::span<char> prepare();
    void commit(std::size_t received_bytes, steady_time now);
    [[nodiscard]] std::optional<server_event> next_event();
    /// The client closed the transport, or it broke.
    void transport_closed();

    [[nodiscard]] bytes_view pending_output() const noexcept { return output_.pending(); }
    void consume_output(std::size_t sent_bytes) { output_.consume(sent_bytes); }

    [[nodiscard]] std::optional<steady_time> next_deadline() const noexcept { return deadline_; }
    void expire(steady_time now);

    /// Answers `connect_received`.
    void accept();
    void refuse();

    /// Queues MSG, or HMSG when there are headers and the client reads them; else they are left
    /// out. Errors: `errc::closed`; `errc::output_full`, and then the session ends as a slow
    /// consumer.
    [[nodiscard]] result<> deliver(const delivery& message);
    /// Queues an `-ERR` that does not end the session.
    void send_error(bytes_view text);
    /// What INFO says from now on; told to a client that asked to be.
    void update_info(server_info info);
    /// Ends the session, with an `-ERR` unless `text` is empty.
    void close(close_reason reason, bytes_view text = {});

    [[nodiscard]] bool is_closed() const noexcept { return state_ == state::closed; }
    /// What the client said in CONNECT, or what is assumed without.
    [[nodiscard]] const connect_options& client() const noexcept { return client_; }

private:
    enum class state { awaiting_connect, awaiting_answer, open, closed };
    class visitor;

    void receive_connect(bytes_view json);
    void receive_ping();
    void confirm();
    void refuse_input(parse_status status);
    void end_slow_consumer();
    [[nodiscard]] bool accepts_headers() const noexcept;

    server_options options_;
    connect_options client_;
    state state_ = state::open;
    bool has_connected_ = false;
    bool answered_ping_ = false;
    int pings_outstanding_ = 0;

    detail::input_queue<role::server> input_;
    parser_limits limits_;
    detail::output_queue output_;
    block_pointer held_; ///< Of the message that the last event showed.
    std::deque<server_event> events_;

    steady_time now_{};
    std::optional<steady_time> deadline_;
};

} // namespace pipit::protocol
