// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/detail/information_url.hpp>

#include <pipit/base/hex.hpp>

#include <algorithm>

namespace pipit::auth::detail {
namespace {

bool is_scheme(std::string_view text) noexcept {
    const auto is_letter = [](char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; };
    const auto may_follow = [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    };
    return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, may_follow);
}

bool has_broken_escape(std::string_view text) noexcept {
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
        if (text.size() - at < 3 || hex_digit(text[at + 1]) < 0 || hex_digit(text[at + 2]) < 0) {
            return true;
        }
    }
    return false;
}

} // namespace

bool is_information_url(std::string_view url) noexcept {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; };
    const auto colon = url.find("://");
    if (std::ranges::any_of(url, is_control) || colon == std::string_view::npos) return false;
    if (!is_scheme(url.substr(0, colon))) return false;
    const auto rest = url.substr(colon + 3);
    const auto path = std::min(rest.find_first_of("/?#"), rest.size());
    auto host = rest.substr(0, path);
    if (has_broken_escape(rest.substr(path, rest.find('?', path) - path))) return false;
    if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
    std::string_view port;
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        if (end == std::string_view::npos || end == 1) return false;
        port = host.substr(end + 1);
    } else {
        const auto end = std::min(host.find(':'), host.size());
        port = host.substr(end);
        host = host.substr(0, end);
        if (host.find_first_of(" \"<>\\^`{|}") != std::string_view::npos) return false;
    }
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const bool port_is_good =
        port.empty() || (port.front() == ':' && std::ranges::all_of(port.substr(1), is_digit));
    return !host.empty() && port_is_good;
}

} // namespace pipit::auth::detail
