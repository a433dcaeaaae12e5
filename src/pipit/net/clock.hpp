// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

namespace pipit::net {

[[nodiscard]] inline steady_time steady_now() noexcept {
    return std::chrono::time_point_cast<nanoseconds>(std::chrono::steady_clock::now());
}

[[nodiscard]] inline wall_time wall_now() noexcept {
    return std::chrono::time_point_cast<nanoseconds>(std::chrono::system_clock::now());
}

/// Both clocks for the price of one: the wall clock is asked again once in a while and otherwise
/// follows the steady one.
///
/// Threads: one.
class clock {
public:
    [[nodiscard]] moment now() noexcept {
        const auto steady = steady_now();
        if (steady >= ask_wall_clock_at_) {
            wall_offset_ = wall_now().time_since_epoch() - steady.time_since_epoch();
            ask_wall_clock_at_ = steady + std::chrono::milliseconds(100);
        }
        return {steady, wall_time(steady.time_since_epoch() + wall_offset_)};
    }

private:
    steady_time ask_wall_clock_at_{};
    nanoseconds wall_offset_{};
};

} // namespace pipit::net
