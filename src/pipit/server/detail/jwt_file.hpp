// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <optional>
#include <string>

namespace pipit::server::detail {

/// The text of a file that holds a JWT, at most `limits::jwt_bytes` of it; nothing: it is not
/// there. Errors: `errc::unusable_file`.
[[nodiscard]] result<std::optional<std::string>> read_jwt_file(const std::string& path);

} // namespace pipit::server::detail
