// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace pipit {

/// `host:port`, with brackets around an IPv6 address.
[[nodiscard]] inline std::string join_host_port(std::string_view host, int port) {
    const bool is_ipv6 = host.find(':') != std::string_view::npos;
    std::string text = is_ipv6 ? "[" : "";
    text += host;
    text += is_ipv6 ? "]:" : ":";
    return text += std::to_string(port);
}

} // namespace pipit
