// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace pipit::test {

/// How often this thread has allocated memory by `new` so far: what a test compares before and
/// behind something that must not.
std::size_t allocation_count() noexcept;

} // namespace pipit::test
