// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstddef>
#include <string>

namespace pipit::auth::detail {

/// An element of DER with this tag, its length in as few bytes as it takes.
/// Source: X.690, sections 8.1.3 and 10.1.
[[nodiscard]] inline std::string der_element(unsigned char tag, bytes_view content) {
    constexpr std::size_t short_max = 0x7f;
    std::string length;
    for (auto left = content.size(); left > 0; left >>= 8) {
        length.insert(length.begin(), static_cast<char>(left & 0xff));
    }
    if (length.empty()) length.assign(1, '\0');
    if (content.size() > short_max) {
        length.insert(length.begin(), static_cast<char>(0x80 | length.size()));
    }
    return std::string(1, static_cast<char>(tag)).append(length).append(content);
}

} // namespace pipit::auth::detail
