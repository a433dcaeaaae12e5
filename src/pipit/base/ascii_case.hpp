// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>

namespace pipit {

/// As `HTTP://` begins with `http://`; `beginning` is in lower case.
[[nodiscard]] constexpr bool starts_without_case(std::string_view text,
                                                 std::string_view beginning) noexcept {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::ranges::equal(text.substr(0, beginning.size()), beginning, {}, lower);
}

} // namespace pipit
