// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace pipit::protocol::detail {

/// For tests: how often this program has called `operator new` so far.
[[nodiscard]] std::size_t allocation_count() noexcept;

} // namespace pipit::protocol::detail
