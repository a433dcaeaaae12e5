// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace pipit {

[[nodiscard]] constexpr char lower_letter(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), lower_letter);
    return lower;
}

[[nodiscard]] constexpr bool equal_without_case(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, {}, lower_letter, lower_letter);
}

/// As `HTTP://` begins with `http://`.
[[nodiscard]] constexpr bool starts_without_case(std::string_view text,
                                                 std::string_view beginning) noexcept {
    return equal_without_case(text.substr(0, beginning.size()), beginning);
}

} // namespace pipit
