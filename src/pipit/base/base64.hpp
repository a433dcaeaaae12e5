// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <optional>
#include <string>
#include <string_view>

/// Bytes as text. Not in constant time: for what may be seen.
/// Source: RFC 4648, sections 4 and 5.
namespace pipit {

/// With padding, as HTTP and JSON have it.
[[nodiscard]] std::string to_base64(bytes_view bytes);
/// For URLs and without padding, as JWTs and signatures are written.
[[nodiscard]] std::string to_base64url(bytes_view bytes);

/// Strict: nothing but the alphabet and the right padding, and no bits behind the last byte, so
/// that there is one text for some bytes. Nothing: it is no such text.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

} // namespace pipit
