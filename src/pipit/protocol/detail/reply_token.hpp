// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

/// A number as a token of a subject: the last one of a reply subject says which request it answers.
namespace pipit::protocol::detail {

inline constexpr bytes_view token_digits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

inline void append_reply_token(std::string& out, std::uint64_t number) {
    char digits[11]; // Of six bits each, the lowest first.
    std::size_t count = 0;
    do {
        digits[count++] = token_digits[number & 63];
        number >>= 6;
    } while (number != 0);
    out.append(digits, count);
}

/// Nothing for any other text; several texts may mean one number.
[[nodiscard]] inline std::optional<std::uint64_t> parse_reply_token(bytes_view text) noexcept {
    constexpr std::uint8_t no_digit = 64;
    static constexpr auto values = [] {
        std::array<std::uint8_t, 256> out{};
        for (auto& value : out) value = no_digit;
        for (std::size_t i = 0; i < token_digits.size(); ++i) {
            out[static_cast<unsigned char>(token_digits[i])] = static_cast<std::uint8_t>(i);
        }
        return out;
    }();
    constexpr std::size_t digits_max = 11;
    if (text.empty() || text.size() > digits_max) return std::nullopt;
    std::uint64_t number = 0;
    for (std::size_t i = text.size(); i-- > 0;) {
        const auto value = values[static_cast<unsigned char>(text[i])];
        if (value == no_digit) return std::nullopt;
        number = number << 6 | value;
    }
    return number;
}

} // namespace pipit::protocol::detail
