// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstdint>
#include <span>

namespace pipit::auth::detail {

/// The same bytes as a text has them, and as cryptography counts them.
[[nodiscard]] inline bytes_view text_of(std::span<const std::uint8_t> octets) noexcept {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}
[[nodiscard]] inline std::span<const std::uint8_t> octets_of(bytes_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

} // namespace pipit::auth::detail
