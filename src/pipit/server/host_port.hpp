// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/join_host_port.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace pipit::server {

/// The two sides of `host:port`, `[::1]:port` or `:port`, as text.
struct host_and_port {
    std::string host; ///< Without brackets.
    std::string port;
};

/// Nothing when there is no port, or when it is not clear which colon is before it.
[[nodiscard]] std::optional<host_and_port> split_host_port(std::string_view text);

/// An address that is only told to others: `host:port`, or a host for which the port is 0.
struct advertised_address {
    std::string host;
    int port = 0;
};
[[nodiscard]] std::optional<advertised_address> parse_advertised(std::string_view text);

/// A port number as text: digits, or `-1` for any free port. Nothing when it is none.
[[nodiscard]] std::optional<int> parse_port(std::string_view text);

} // namespace pipit::server
