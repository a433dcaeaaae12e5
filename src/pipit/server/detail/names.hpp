// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pipit::server::detail {

/// The name that somebody probably meant who wrote `mistaken`, or nothing when none is near.
[[nodiscard]] std::string_view nearest_name(std::string_view mistaken,
                                            const std::vector<std::string_view>& names);

} // namespace pipit::server::detail
