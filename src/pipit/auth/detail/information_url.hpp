// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace pipit::auth::detail {

/// Whether people could find out more there: `scheme://host…`, as claims are asked for it. Not more
/// than that; nobody follows it.
[[nodiscard]] bool is_information_url(std::string_view url) noexcept;

} // namespace pipit::auth::detail
