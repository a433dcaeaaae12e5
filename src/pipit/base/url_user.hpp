// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace pipit {

/// Where user and password stand in a URL; empty when it has none. At `end` is the `@`.
struct url_user {
    std::size_t begin = 0;
    std::size_t end = 0;

    [[nodiscard]] constexpr bool empty() const noexcept { return begin == end; }
};

/// Finds what nobody may see of a URL: all between its scheme, if it has one, and its last `@`. A
/// password may have colons, commas, slashes and more of both signs, though it should not: rather
/// too much is hidden than too little.
[[nodiscard]] constexpr url_user url_user_of(std::string_view url) noexcept {
    constexpr std::string_view behind_scheme = "://";
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '-' || c == '.';
    };
    const auto scheme = url.substr(0, url.find(behind_scheme));
    const bool has_scheme = scheme.size() < url.size() && !scheme.empty() &&
                            std::all_of(scheme.begin(), scheme.end(), is_letter);
    const auto begin = has_scheme ? scheme.size() + behind_scheme.size() : 0;
    const auto at = url.rfind('@');
    if (at == std::string_view::npos || at < begin) return {begin, begin};
    return {begin, at};
}

} // namespace pipit
