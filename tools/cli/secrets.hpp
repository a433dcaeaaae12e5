// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace pipit::cli {

/// As `auth::looks_secret`; also behind `file://` and `env://`.
[[nodiscard]] bool looks_secret(std::string_view text);
/// What was typed, to be shown: between quotes, or `this`.
[[nodiscard]] std::string quoted_unless_secret(std::string_view text);

} // namespace pipit::cli
