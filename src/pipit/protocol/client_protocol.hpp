// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/client_limits.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/base/time.hpp>
#include <pipit/protocol/client_events.hpp>
#include <pipit/protocol/connect.hpp>
#include <pipit/protocol/detail/input_queue.hpp>
#include <pipit/protocol/detail/output_queue.hpp>
#include <pipit/protocol/detail/subscription_table.hpp>
#include <pipit/protocol/info.hpp>
#include <pipit/protocol/server_pool.hpp>
#include <pipit/protocol/writer.hpp>

#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pipit::protocol {

/// Who the client is, for CONNECT. A user in the server's URL goes before `user` and `auth_token`.
struct credentials {
    std::string user = {};
    std::string pass = {};
    std::string auth_token = {};
    std::string jwt = {};
    std::string nkey = {};
    std::string sig = {}; ///< Of `server_info::nonce`, base64url.
};

struct client_options {
    std::vector<server_address> servers = {};
    server_pool_options pool = {};
    bool use_discovered_servers = true;

    std::string name = {};
    std::string lang = "c++";
    std::string version = {};
    bool verbose = false;
    bool pedantic = false;
    bool echo = true;
    bool tls_required = false; ///< Refuse a server that does not offer TLS.

    /// From opening the transport to PONG.
    std::chrono::milliseconds connect_timeout = limits::client_connect_timeout;
    std::chrono::milliseconds ping_interval = limits::client_ping_interval; ///< 0: no pings.
    int pings_outstanding_max = limits::client_pings_outstanding;

    bool reconnect = true;
    bool retry_first_connect = false; ///< Otherwise each server is tried once.
    /// Between two rounds through the pool: doubled from round to round up to the largest (where
    /// that is larger), and up to `reconnect_jitter` more by chance.
    std::chrono::milliseconds reconnect_wait = limits::client_reconnect_wait;
    std::chrono::milliseconds reconnect_wait_max = limits::client_reconnect_wait_max;
    std::chrono::milliseconds reconnect_jitter = limits::client_reconnect_jitter;

    std::size_t pending_output_bytes_max = limits::client_pending_bytes;
    /// Publications that wait for a connection; 0: publishing without one is an error.
    std::size_t offline_bytes_max = limits::client_offline_bytes;
};

/// The client's side of a NATS connection over all its reconnects, without any I/O.
///
/// The driver repeats: read into `prepare()`, `commit()` what arrived, drain `next_event()` and do
/// what it asks, write `pending_output()`, and call `expire()` when `next_deadline()` passes. The
/// same object goes on after an interruption: it picks the next server, asks for a transport, and
/// subscribes again.
///
/// What was written but not sent when a connection breaks is lost, as is what was sent and not
/// received: core NATS delivers at most once.
///
/// Threads: one at a time.
/// Source: "Client Protocol" in the NATS docs; ADR-4 (headers), ADR-40 (connection).
class client_protocol {
public:
    /// `random` decides the order of servers and the jitter.
    client_protocol(client_options options, random_source random);

    /// Begins to connect. To be called once.
    void start(steady_time now);

    void transport_opened(steady_time now);
    void tls_established(steady_time now);
    /// The transport was closed by the peer, broke, or could not be opened; not to be called for
    /// one that was closed because of `disconnected`.
    void transport_closed(steady_time now, error why = {});

    /// Free space to read into; not empty when everything that was read before has been drained.
    /// Lifetime: until `commit()`. Ends the life of every view an earlier event carried.
    [[nodiscard]] std::span<char> prepare();
    void commit(std::size_t received_bytes, steady_time now);
    [[nodiscard]] std::optional<client_event> next_event();

    [[nodiscard]] bytes_view pending_output() const noexcept { return output_.pending(); }
    void consume_output(std::size_t sent_bytes) { output_.consume(sent_bytes); }
    /// Moves all pending output to `into`, which has to be empty, and goes on with its memory: for
    /// a driver that writes while others publish. What it holds of a connection that is
    /// `disconnected` has to be thrown away.
    void take_output(std::string& into) { output_.take(into); }

    [[nodiscard]] std::optional<steady_time> next_deadline() const noexcept;
    void expire(steady_time now);
    /// The driver does not read at present: that no PONG came says nothing about the server.
    void excuse_silence() noexcept { keepalives_outstanding_ = 0; }

    /// Answers `connect_requested`. While connected, it says again who this is.
    void connect(const credentials& who);
    /// Queues PING; `pong_received` is the answer.
    /// Errors: `errc::not_connected`; `errc::output_full` when too many are not answered.
    [[nodiscard]] result<> ping();
    /// Queues PUB, or HPUB when there are headers.
    /// Errors: `errc::invalid_subject`; `errc::payload_too_large` when headers and payload together
    ///         exceed the server's `max_payload`; `errc::headers_not_supported`;
    ///         `errc::output_full` at a limit; `errc::not_connected`; `errc::closed`.
    /// A line beyond the server's `max_control_line` is sent, for INFO does not say that: the
    /// server answers `error_received`, and closes.
    [[nodiscard]] result<> publish(const publication& message);
    /// Errors: `errc::invalid_subject` (of subject or queue), `errc::output_full`, `errc::closed`.
    [[nodiscard]] result<sid> subscribe(bytes_view subject, bytes_view queue = {});
    /// Ends the subscription, with `max` not 0 after so many messages since it began.
    void unsubscribe(sid subscription, std::uint64_t max = 0);
    /// Asks the server to send no more. What is under way still comes; `unsubscribe` when it is
    /// here (a `ping()` tells) or the connection is lost. Returns false when nothing can come any
    /// more, and then the subscription has ended: there is no connection.
    bool drain(sid subscription);
    [[nodiscard]] bool is_draining(sid subscription) const noexcept;
    /// Null for one that has ended. Lifetime: until it ends.
    [[nodiscard]] const std::string* subject_of(sid subscription) const noexcept;
    /// All that have not ended, in the order in which they began.
    [[nodiscard]] std::vector<sid> subscriptions() const { return subscriptions_.ids(); }

    /// The block that the views of the last message point into, if it came in one.
    [[nodiscard]] const block_pointer& held_block() const noexcept { return held_; }

    /// Leaves the server for another one, as after `lame_duck`; also while it is connecting, and
    /// that does not count as a failure.
    void reconnect(steady_time now);
    /// To be called before `reconnect`, so that nothing is lost: asks the server to send no more,
    /// but for `kept`; what is published from now on waits for the next connection. What is on its
    /// way still comes; a `ping()` tells when.
    void prepare_reconnect(std::optional<sid> kept = {});
    /// Takes it back before a `close`: what waits goes over this connection.
    void stay();
    /// `prepare_reconnect` was called, for this connection.
    [[nodiscard]] bool is_leaving() const noexcept { return is_leaving_; }
    /// Another server is known, and `reconnect` is on.
    [[nodiscard]] bool has_elsewhere_to_go() const noexcept {
        return options_.reconnect && pool_.size() > 1;
    }
    /// Ends everything; the event `closed` is the last one. Write the pending output before.
    void close(error why = {});

    [[nodiscard]] bool is_connected() const noexcept { return state_ == state::connected; }
    [[nodiscard]] bool is_closed() const noexcept { return state_ == state::closed; }
    /// Publications wait for a connection.
    [[nodiscard]] bool has_offline_output() const noexcept { return !offline_.empty(); }
    /// Of the server that is connected, or was at last.
    [[nodiscard]] const server_info& info() const noexcept { return info_; }
    [[nodiscard]] const server_pool& pool() const noexcept { return pool_; }

private:
    enum class state {
        idle,
        waiting,       // For the next round through the pool.
        opening,       // The transport.
        awaiting_info, // The first one.
        securing,      // TLS is being established.
        greeting,      // CONNECT is asked of the caller.
        awaiting_pong, // The answer to CONNECT and PING.
        connected,
        closed,
    };
    /// `lines` stands behind all subscriptions, when one of them may have too long a line.
    enum class ping_kind : std::uint8_t { keepalive, asked, lines };
    class visitor;

    void open_next(steady_time now);
    void wait_or_open(steady_time now);
    void keep_alive(steady_time now, bool slept);
    void count_failure(const error& why, bool was_connected);
    [[nodiscard]] error no_server() const;
    [[nodiscard]] std::string failures_text() const;
    [[nodiscard]] std::string late_text() const;
    void lose(error why, std::string_view auth_error = {});
    void end(error why);
    void begin_session();
    void receive_info(bytes_view json);
    void receive_pong();
    void receive_error(bytes_view text);
    void discover_servers();
    void end_refused_subscription(error_received& refused);
    void find_too_long_line(error_received& refused);
    /// Nothing for a subscription that has ended.
    std::optional<message_received> receive_message(const message_operation& message);
    void request_tls_or_connect();
    void queue_ping(ping_kind kind);
    void queue_subscription(detail::subscription_record& record);
    [[nodiscard]] bool reads() const noexcept;
    [[nodiscard]] parser_limits input_limits() const noexcept;

    client_options options_;
    random_source random_;
    server_pool pool_;
    server_info info_;
    state state_ = state::idle;
    bool ever_connected_ = false;
    bool secured_ = false;
    bool lame_duck_told_ = false;
    bool is_leaving_ = false; ///< While connected: `prepare_reconnect` was called.

    detail::input_queue<role::client> input_;
    detail::output_queue output_;
    std::string offline_; ///< Publications that wait for a connection.
    block_pointer held_;  ///< Of the message that the last event showed.
    // Lists, for an empty deque holds half a kilobyte, and these are empty nearly always.
    std::list<client_event> events_;
    std::list<ping_kind> pings_; ///< Not answered yet.
    int keepalives_outstanding_ = 0;
    bool line_was_too_long_ = false; ///< Of what this client sent, says the server.

    steady_time now_{};
    std::optional<steady_time> deadline_; ///< Of what `state_` waits for.
    bool has_slept_ = false;              ///< And nothing was received since.
    std::size_t attempts_in_round_ = 0;
    std::size_t refusals_in_round_ = 0; ///< Of logins, among them.
    int rounds_ = 0;
    std::vector<std::string> failures_; ///< Of this round: each server, and why.
    steady_time connected_at_{};
    int short_connections_ = 0; ///< In a row: ended soon after they began.

    detail::subscription_table subscriptions_;
};

} // namespace pipit::protocol
