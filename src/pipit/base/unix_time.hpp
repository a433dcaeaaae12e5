// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace pipit {

/// Whole seconds since 1970, as JWTs count.
[[nodiscard]] inline std::int64_t unix_seconds(wall_time time) noexcept {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// The other way. Before 1970 it is 1970. A `wall_time` ends in 2262: what comes after 2255 is that
/// year, so that people may still add to it.
[[nodiscard]] inline wall_time wall_time_of(std::int64_t unix_seconds) noexcept {
    constexpr std::int64_t last = 9'000'000'000;
    return wall_time(std::chrono::seconds(std::clamp<std::int64_t>(unix_seconds, 0, last)));
}

} // namespace pipit
