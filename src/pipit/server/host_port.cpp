// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/host_port.hpp>

#include <algorithm>
#include <charconv>

namespace pipit::server {

std::optional<host_and_port> split_host_port(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto host = text.substr(0, colon);
    if (host.starts_with('[')) {
        if (!host.ends_with(']')) return std::nullopt;
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return std::nullopt;
    }
    if (host.find_first_of("[]") != std::string_view::npos) return std::nullopt;
    return host_and_port{std::string(host), std::string(text.substr(colon + 1))};
}

std::optional<advertised_address> parse_advertised(std::string_view text) {
    const bool has_port = text.find(':') != std::string_view::npos && !text.ends_with(']');
    const auto address = split_host_port(has_port ? text : std::string(text) + ":0");
    const auto port = address ? parse_port(address->port) : std::nullopt;
    if (!port) return std::nullopt;
    return advertised_address{address->host, std::max(*port, 0)};
}

std::optional<int> parse_port(std::string_view text) {
    int port = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, failed] = std::from_chars(text.data(), end, port);
    if (failed != std::errc() || rest != end || port < -1 || port > 65535) return std::nullopt;
    return port;
}

} // namespace pipit::server
