// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/hex.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace pipit {

/// What a part of a URL stands for: `%40` is `@`. Nothing: two hexadecimal digits are missing
/// behind a `%`.
/// Source: RFC 3986, section 2.1.
[[nodiscard]] inline std::optional<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    while (!text.empty()) {
        if (text.front() != '%') {
            decoded += text.front();
            text.remove_prefix(1);
            continue;
        }
        const int high = text.size() < 3 ? -1 : hex_digit(text[1]);
        const int low = high < 0 ? -1 : hex_digit(text[2]);
        if (low < 0) return std::nullopt;
        decoded += static_cast<char>(high * 16 + low);
        text.remove_prefix(3);
    }
    return decoded;
}

} // namespace pipit
