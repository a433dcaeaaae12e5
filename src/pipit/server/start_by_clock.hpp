// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

namespace pipit::server {

/// When something was, by the clock as it is set now: many a machine learns what time it is after
/// its servers have started. The same again until the clock is set by more than a second.
[[nodiscard]] constexpr wall_time start_by_clock(moment began, moment now) {
    using std::chrono::seconds;
    const nanoseconds moved = (now.wall - began.wall) - (now.steady - began.steady);
    const bool was_set = moved > seconds(1) || moved < seconds(-1);
    return was_set ? began.wall + moved : began.wall;
}

} // namespace pipit::server
