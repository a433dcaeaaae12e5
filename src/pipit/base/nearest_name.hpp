// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace pipit {

/// The name that somebody probably meant who wrote `mistaken`, which has small letters where the
/// names have; nothing when none is near. The beginning of a name, of three letters or more, is
/// near it; otherwise no more than a third of the letters may differ.
[[nodiscard]] std::string_view nearest_name(std::string_view mistaken,
                                            const std::vector<std::string_view>& names);

} // namespace pipit
