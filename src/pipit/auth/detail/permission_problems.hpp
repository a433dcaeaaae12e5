// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/permissions.hpp>

#include <string>

namespace pipit::auth::detail {

/// What is wrong with permissions as claims say them; empty: nothing.
[[nodiscard]] std::string problem_of_permissions(const permission_lists& lists);

} // namespace pipit::auth::detail
