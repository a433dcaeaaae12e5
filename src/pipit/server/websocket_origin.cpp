// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/websocket_origin.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/server/host_port.hpp>

#include <algorithm>

namespace pipit::server {
namespace {

bool is_host(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < '\x7f' &&
               std::string_view("/\\@?#%\"<>^`{|}").find(c) == std::string_view::npos;
    });
}

bool is_port(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 5 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Fills in host and port.
bool read_authority(std::string_view text, web_origin& origin) {
    if (!is_host(text)) return false;
    if (auto parts = split_host_port(text)) {
        if (!is_port(parts->port)) return false;
        origin.host = lower_case(parts->host);
        origin.port = parts->port;
        return !origin.host.empty();
    }
    const bool is_bracketed = text.front() == '[' && text.back() == ']';
    if (is_bracketed) text = text.substr(1, text.size() - 2);
    // A colon without brackets or with nothing behind it, or one bracket.
    if (text.find_first_of(":[]") != std::string_view::npos && !is_bracketed) return false;
    origin.host = lower_case(text);
    origin.port = origin.scheme == "https" ? "443" : "80";
    return !origin.host.empty();
}

} // namespace

std::optional<web_origin> parse_origin(std::string_view text) {
    constexpr std::string_view separator = "://";
    const auto colon = text.find(separator);
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    web_origin origin;
    origin.scheme = lower_case(text.substr(0, colon));
    text.remove_prefix(colon + separator.size());
    text = text.substr(0, text.find('/'));
    if (!read_authority(text, origin)) return std::nullopt;
    return origin;
}

std::optional<web_origin> origin_of_host(std::string_view host, bool over_tls) {
    web_origin origin{.scheme = over_tls ? "https" : "http", .host = {}, .port = {}};
    if (!read_authority(host, origin)) return std::nullopt;
    return origin;
}

} // namespace pipit::server
