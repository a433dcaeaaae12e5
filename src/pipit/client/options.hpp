// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/client_limits.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/protocol/client_session.hpp>
#include <pipit/protocol/headers.hpp>
#include <pipit/protocol/message.hpp>
#include <pipit/protocol/nuid.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pipit::client {

using protocol::headers;
using protocol::message;

/// What happens to a connection beside messages and answers.
namespace event {
struct connected {
    std::string server; ///< host:port
    bool again = false; ///< After an interruption.
};
struct disconnected {
    error why;
};
/// The server named others that may be connected to.
struct servers_discovered {
    std::vector<std::string> servers;
};
/// The server is about to stop. The connection moves to another one within seconds, if one is
/// known, without losing what was sent and asked for; otherwise it stays as long as it may.
struct lame_duck {};
/// Messages of a subscription were dropped, because its user is too slow; told once until it has
/// caught up.
struct slow_consumer {
    std::string subject;
    std::uint64_t dropped_messages = 0; ///< So far.
};
/// Something that no operation is waiting for: `protocol::errc::permission_denied` of a
/// publication, `protocol::errc::authorization_refused` of a login while it reconnects, …
struct asynchronous_error {
    error why;
};
/// Nothing follows. Not told of an end that the connection's destructor makes.
struct closed {
    error why;
};
} // namespace event

using connection_event =
    std::variant<event::connected, event::disconnected, event::servers_discovered, event::lame_duck,
                 event::slow_consumer, event::asynchronous_error, event::closed>;

/// How a connection is encrypted. A server's URL that begins with `tls://`, and a server that asks
/// for it, are enough: certificates are verified against the authorities that the system trusts.
struct tls_options {
    bool required = false; ///< Refuse servers that do not offer it, whatever their URL says.
    /// The handshake comes before the server's INFO; the server must be configured so.
    bool first = false;
    std::string ca_file = {};          ///< Authorities to trust instead of the system's, in PEM.
    std::string certificate_file = {}; ///< Of this client, in PEM, for servers that ask for one.
    std::string key_file = {};
    std::string server_name = {}; ///< What the certificate must be for; empty: the URL's host.
    /// No certificate is verified: whoever stands between this client and the server reads and
    /// changes everything, and passwords too.
    bool insecure_accept_any_certificate = false;
};

struct connection_options {
    /// `nats://user:pass@host:4222`, `tls://…`, `ws://host/path`, `wss://…`, `host`, `host:port`;
    /// also several with commas.
    std::vector<std::string> servers{"nats://127.0.0.1:4222"};
    std::string name = {};

    /// Used unless the server's URL has its own.
    std::string user = {};
    std::string password = {};
    std::string token = {};
    /// Asked at each connect, in place of the three above: credentials may change.
    std::function<protocol::credentials(const protocol::server_info&)> credentials_provider = {};

    tls_options tls = {};

    bool echo = true;
    bool verbose = false;
    bool pedantic = false;
    std::string inbox_prefix{protocol::default_inbox_prefix};

    std::chrono::milliseconds connect_timeout = limits::client_connect_timeout;
    std::chrono::milliseconds request_timeout{5000}; ///< Unless the request says otherwise.
    std::chrono::milliseconds drain_timeout{30'000};
    std::chrono::milliseconds ping_interval = limits::client_ping_interval; ///< 0: no pings.
    int pings_outstanding_max = limits::client_pings_outstanding;

    bool reconnect = true;
    bool retry_on_failed_connect = false; ///< `connect` goes on trying in the background.
    /// For each server in a row; -1: forever.
    int reconnect_attempts_max = limits::client_reconnect_attempts;
    /// Between two rounds through all servers: doubled from round to round up to the largest (where
    /// that is larger), and up to the jitter more by chance.
    std::chrono::milliseconds reconnect_wait = limits::client_reconnect_wait;
    std::chrono::milliseconds reconnect_wait_max = limits::client_reconnect_wait_max;
    std::chrono::milliseconds reconnect_jitter = limits::client_reconnect_jitter;
    bool randomize_servers = true;
    bool websocket_compression = false; ///< Asked for where a server's URL is `ws` or `wss`.
    bool use_discovered_servers = true;
    /// A server that refuses the login twice in a row for the same reason is left for good, and
    /// without another one the connection ends. False: it is tried again like one that is away.
    bool gives_up_on_repeated_refusal = true;

    std::size_t pending_output_bytes_max = limits::client_pending_bytes;
    std::size_t reconnect_buffer_bytes_max = limits::client_offline_bytes; ///< 0: none.

    /// Called on the connection's executor (a `blocking_connection`: its thread); must not block.
    std::function<void(const connection_event&)> on_event = {};
};

/// What happens to a message that comes when a subscription's limits are reached.
enum class when_full {
    drop_new,
    drop_old,
    wait, ///< Back-pressure: nothing more is read from the server until there is room again.
};

struct subscribe_options {
    std::string queue = {};
    std::uint64_t messages_max = 0; ///< Ends after so many; 0: never.
    std::size_t pending_messages_max = 65'536;
    std::size_t pending_bytes_max = std::size_t{64} * 1024 * 1024;
    when_full policy = when_full::drop_new;
};

/// Lifetime: of what the members point to, the call that they are handed to.
struct publish_options {
    bytes_view reply = {};
    const client::headers* headers = nullptr;
};

struct request_options {
    std::optional<std::chrono::nanoseconds> timeout = {}; ///< The connection's, unless it is set.
    const client::headers* headers = nullptr;
};

struct request_many_options {
    std::optional<std::chrono::nanoseconds> timeout = {};
    std::optional<std::chrono::nanoseconds> stall = {};
    std::uint64_t messages_max = 0;
    bool ends_with_empty_payload = false;
    std::function<bool(const message&)> is_last = {};
    const client::headers* headers = nullptr;
};

struct subscription_statistics {
    std::uint64_t delivered_messages = 0;
    std::uint64_t dropped_messages = 0;
    std::size_t pending_messages = 0;
    std::size_t pending_bytes = 0;
};

} // namespace pipit::client
