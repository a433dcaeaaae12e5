// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

struct sockaddr;

namespace pipit::net {

/// An IP address in the order of the network; one of IPv4 is mapped into IPv6: `::ffff:10.0.0.1`.
using ip_address = std::array<std::uint8_t, 16>;
/// What all addresses of IPv4 begin with.
constexpr int mapped_bits = 96;
[[nodiscard]] bool is_ipv4(const ip_address& address) noexcept;

/// Of a text without brackets, zone or port. Nothing: it is none.
[[nodiscard]] std::optional<ip_address> parse_ip(const std::string& text);

/// An IPv4 address in IPv6's clothes is shown as what it is.
[[nodiscard]] std::string to_string(const ip_address& address);

/// Of its 4 or 16 octets.
[[nodiscard]] ip_address ip_of(bytes_view octets);
/// Of a socket's address; nothing when it is of another kind.
[[nodiscard]] std::optional<ip_address> ip_of(const sockaddr& address);

} // namespace pipit::net
