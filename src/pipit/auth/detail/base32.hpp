// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pipit::auth::detail {

inline constexpr std::string_view base32_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

constexpr std::size_t base32_size(std::size_t bytes) { return (bytes * 8 + 4) / 5; }

/// Without padding.
/// Source: RFC 4648, section 6.
[[nodiscard]] inline std::string to_base32(std::span<const std::uint8_t> bytes) {
    std::string text;
    text.reserve(base32_size(bytes.size()));
    std::uint32_t pending = 0;
    int pending_bits = 0;
    for (const auto byte : bytes) {
        pending = (pending << 8) | byte;
        pending_bits += 8;
        while (pending_bits >= 5) {
            pending_bits -= 5;
            text += base32_alphabet[(pending >> pending_bits) & 31];
        }
    }
    if (pending_bits > 0) text += base32_alphabet[(pending << (5 - pending_bits)) & 31];
    return text;
}

} // namespace pipit::auth::detail
