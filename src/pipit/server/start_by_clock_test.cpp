// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/start_by_clock.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

constexpr moment began{steady_time(1h), wall_time(100h)};

constexpr moment later(nanoseconds passed, nanoseconds set_by) {
    return {began.steady + passed, began.wall + passed + set_by};
}

TEST(StartByClock, StaysWhileTheClockRuns) {
    EXPECT_EQ(start_by_clock(began, later(10h, 0s)), began.wall);
    EXPECT_EQ(start_by_clock(began, later(10h, 5ms)), began.wall);
}

TEST(StartByClock, GoesWithAClockThatIsSet) {
    for (const nanoseconds set_by : {-72h, 3h, 490'000h}) {
        const auto now = later(10min, set_by);
        EXPECT_EQ(now.wall - start_by_clock(began, now), 10min);
    }
}

} // namespace
} // namespace pipit::server
