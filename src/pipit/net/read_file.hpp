// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace pipit::net {

/// How long somebody who writes a file to us, a FIFO or `<(…)` of a shell, may be silent. The whole
/// is bounded by its size alone: a vault may take its time.
inline constexpr nanoseconds file_patience = std::chrono::seconds(5);

/// A whole file; of one that is larger than allowed, something more than that, so that the caller
/// sees that it is too much. Errors: the system's, as in `errno`; the detail is as Go's:
/// `open <path>: <why>`.
[[nodiscard]] result<std::string> read_file(const std::string& path, std::size_t bytes_max,
                                            nanoseconds patience = file_patience);

} // namespace pipit::net
