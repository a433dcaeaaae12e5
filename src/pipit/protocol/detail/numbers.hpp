// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/limits.hpp>

#include <cstdint>

namespace pipit::protocol::detail {

/// A size or a count: one to nine digits and nothing else; -1 for any other text.
inline std::int64_t parse_size(bytes_view digits) noexcept {
    if (digits.empty() || digits.size() > limits::size_digits_max) return -1;
    std::int64_t value = 0;
    for (const char digit : digits) {
        if (digit < '0' || digit > '9') return -1;
        value = value * 10 + (digit - '0');
    }
    return value;
}

} // namespace pipit::protocol::detail
