// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/creds.hpp>

#include <string>
#include <string_view>

namespace pipit::cli {

using auth::looks_secret;

/// What was typed, to be shown: between quotes, or `this`.
[[nodiscard]] std::string quoted_unless_secret(std::string_view text);

} // namespace pipit::cli
