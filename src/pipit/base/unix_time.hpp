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

/// The other way. Before 1970 it is 1970. A `wall_time` ends in 2262: what comes after 2229 is that
/// year, so that a billion seconds may still be added to it.
[[nodiscard]] inline wall_time wall_time_of(std::int64_t unix_seconds) noexcept {
    constexpr std::int64_t last = 8'200'000'000;
    return wall_time(std::chrono::seconds(std::clamp<std::int64_t>(unix_seconds, 0, last)));
}

} // namespace pipit
