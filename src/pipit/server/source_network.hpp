// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pipit::server {

/// A network that connections may come from, `10.0.0.0/8` or `2001:db8::/32`.
class source_network {
public:
    /// Nothing: it is no network.
    [[nodiscard]] static std::optional<source_network> parse(const std::string& text);

    /// `address` is an IP address without brackets. False also for what is none.
    [[nodiscard]] bool contains(const std::string& address) const;

private:
    using address_bytes = std::array<std::uint8_t, 16>;
    [[nodiscard]] static std::optional<address_bytes> bytes_of(const std::string& text);

    address_bytes network_{}; ///< An IPv4 address is mapped into IPv6.
    int bits_ = 0;
};

} // namespace pipit::server
