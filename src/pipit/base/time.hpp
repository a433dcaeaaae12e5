// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace pipit {

using std::chrono::nanoseconds;

/// For deadlines and intervals. An argument everywhere below `net`, which reads the clock.
using steady_time = std::chrono::time_point<std::chrono::steady_clock, nanoseconds>;

/// For what people, logs and JWTs mean by time.
using wall_time = std::chrono::time_point<std::chrono::system_clock, nanoseconds>;

/// Both clocks at one moment; what a driver hands to the core.
struct moment {
    steady_time steady{};
    wall_time wall{};
};

} // namespace pipit
