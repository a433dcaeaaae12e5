// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/drawing.hpp>
#include <cli/histogram.hpp>

#include <string>

namespace pipit::cli {

/// Count, smallest, percentiles and largest, in seconds: an object of JSON.
[[nodiscard]] std::string percentiles_object(const histogram& of);
/// The same for people.
[[nodiscard]] table percentiles_table(const histogram& of);

} // namespace pipit::cli
