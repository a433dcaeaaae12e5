// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::auth::detail {

/// base64url without padding, as JWTs and signatures are written.
[[nodiscard]] std::string to_base64url(std::span<const std::uint8_t> bytes);

/// Strict: nothing but the alphabet, no padding, and no bits behind the last byte, so that there is
/// one text for some bytes.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text);
/// The same of base64 with padding.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text);

} // namespace pipit::auth::detail
