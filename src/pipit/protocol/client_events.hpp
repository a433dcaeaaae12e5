// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/protocol/server_address.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What a `client_protocol` asks of its driver and tells it.
namespace pipit::protocol {

/// The number of a subscription, given by the client.
enum class sid : std::uint64_t {};

/// Open a transport to this server, then call `transport_opened` or `transport_closed`.
struct open_requested {
    server_address server;
};
/// Begin TLS on the transport, then call `tls_established` or `transport_closed`.
struct tls_requested {};
/// The server said who it is (`info()`): call `connect`, with a signed nonce if it sent one.
struct connect_requested {};
/// Subscriptions and waiting publications are on their way.
struct connected {
    bool again = false; ///< After an interruption.
};
/// Lifetime: the views end with the next `prepare()` or `next_event()`.
struct message_received {
    sid subscription;
    bytes_view subject;
    bytes_view reply;
    bytes_view headers; ///< A header block for `headers::parse`, or empty.
    bytes_view payload;
    bool last = false; ///< The subscription reached its limit and is gone.
};
/// The answer to a `ping()`: everything sent before it has reached the server.
struct pong_received {};
/// An `-ERR`. Those that end the connection are followed by `disconnected`.
struct error_received {
    enum class about { publish, subscription, authentication, limit, other };
    about kind = about::other;
    std::string text;    ///< Without quotes.
    std::string subject; ///< Of a permissions violation, as is `queue`.
    std::string queue;
    /// The one that the server refused: it has ended, and no others. Also one whose line is longer
    /// than the server's `max_control_line`, which is known when that closed two connections.
    std::optional<sid> subscription;
};
/// With the server's text: `errc::authorization_refused`, `errc::permission_denied`, or
/// `errc::refused_by_peer` for all others.
[[nodiscard]] error as_error(const error_received& what);
/// A later INFO (`info()`).
struct info_changed {};
/// An INFO named servers that the pool did not know; now it does. Each as `host:port`.
struct servers_discovered {
    std::vector<std::string> servers;
};
/// The server is about to stop. A `client_session` moves to another one, if there is one; with a
/// `client_protocol`, `prepare_reconnect` and `reconnect` do.
struct lame_duck {};
/// There is no connection (any more): close the transport, if it is open. The next attempt follows.
struct disconnected {
    error why;
    bool was_connected = false;
};
/// The end; nothing follows.
struct closed {
    error why;
};

using client_event = std::variant<open_requested, tls_requested, connect_requested, connected,
                                  message_received, pong_received, error_received, info_changed,
                                  servers_discovered, lame_duck, disconnected, closed>;

} // namespace pipit::protocol
