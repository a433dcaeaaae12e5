// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::protocol {

/// One server of a pool, as its URL names it.
struct server_address {
    enum class transport { tcp, tls, websocket, websocket_tls };

    std::string host; ///< Without brackets, also for IPv6.
    std::uint16_t port = 4222;
    transport over = transport::tcp;
    std::string user;
    std::string pass;
    std::string token;          ///< A user without a password is a token.
    std::string path;           ///< Of a WebSocket URL, with its slash.
    bool may_be_secret = false; ///< As of `listed_url`: no error names it.

    friend bool operator==(const server_address&, const server_address&) = default;
};

/// Reads `nats://user:pass@host:4222`, `tls://…`, `ws://…`, `wss://…`, or any of it without scheme
/// and port. User and password may be percent-encoded.
/// Errors: `errc::invalid_url`.
[[nodiscard]] result<server_address> parse_server_url(std::string_view url);

/// Those of a list, as `split_urls` parts it.
/// Errors: `errc::invalid_url`, which shows nothing that may be secret.
[[nodiscard]] result<std::vector<server_address>> parse_server_urls(std::string_view list);

/// `host:port`, with brackets around an IPv6 address.
[[nodiscard]] std::string to_string(const server_address& server);
/// The same for errors.
[[nodiscard]] std::string shown_name(const server_address& server);

} // namespace pipit::protocol
