// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/ip_address.hpp>

#include <optional>
#include <string>

namespace pipit::server {

/// A network that connections may come from, `10.0.0.0/8` or `2001:db8::/32`.
class source_network {
public:
    /// Nothing: it is no network.
    [[nodiscard]] static std::optional<source_network> parse(const std::string& text);

    /// `address` is an IP address without brackets. False also for what is none.
    [[nodiscard]] bool contains(const std::string& address) const;

private:
    net::ip_address network_{};
    int bits_ = 0;
};

} // namespace pipit::server
