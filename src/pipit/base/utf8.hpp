// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstddef>
#include <cstdint>

namespace pipit {

/// One character, or one byte that is none.
struct decoded_utf8 {
    std::uint32_t code_point = 0xfffd;
    std::size_t length = 1; ///< 1 for a byte that is not UTF-8.
    bool valid = false;
};

/// The first character of `text`, which is not empty. Overlong forms, surrogates and what is above
/// U+10FFFF are not valid, as in Go.
[[nodiscard]] inline decoded_utf8 decode_utf8(bytes_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::uint32_t first = byte(0);
    if (first < 0x80) return {first, 1, true};

    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
    std::uint32_t code_point = first & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        code_point = code_point << 6 | (byte(i) & 0x3fu);
    }
    constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    if (code_point < smallest[length] || code_point > 0x10ffff || surrogate) return {};
    return {code_point, length, true};
}

[[nodiscard]] inline bool is_utf8(bytes_view text) noexcept {
    while (!text.empty()) {
        const auto first = decode_utf8(text);
        if (!first.valid) return false;
        text.remove_prefix(first.length);
    }
    return true;
}

} // namespace pipit
