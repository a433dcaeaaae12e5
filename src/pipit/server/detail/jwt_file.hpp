// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace pipit::server::detail {

/// The text of a file that holds a JWT, at most `limits::jwt_bytes` of it; nothing: it cannot be
/// read, and `errno` says why.
[[nodiscard]] std::optional<std::string> read_jwt_file(const std::string& path);

} // namespace pipit::server::detail
