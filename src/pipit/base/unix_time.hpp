// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <chrono>
#include <cstdint>

namespace pipit {

/// Whole seconds since 1970, as JWTs count.
[[nodiscard]] inline std::int64_t unix_seconds(wall_time time) noexcept {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

} // namespace pipit
