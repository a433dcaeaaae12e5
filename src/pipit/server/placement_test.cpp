// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/placement.hpp>

#include <gtest/gtest.h>

#include <array>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;
using used_times = std::array<nanoseconds, 3>;

steady_time at(nanoseconds since_start) { return steady_time(1h + since_start); }

TEST(Placement, FillsTheFirstLoopUntilItIsBusy) {
    placement places(3);
    EXPECT_EQ(places.choose(), 0u);
    places.measure(used_times{0ms, 0ms, 0ms}, at(0ms));
    places.measure(used_times{60ms, 0ms, 0ms}, at(100ms));
    EXPECT_EQ(places.choose(), 0u);
    places.measure(used_times{150ms, 0ms, 0ms}, at(200ms));
    EXPECT_EQ(places.choose(), 1u);
    places.measure(used_times{240ms, 90ms, 0ms}, at(300ms));
    EXPECT_EQ(places.choose(), 2u);
}

TEST(Placement, ComesBackWhenTheFirstIsIdleAgain) {
    placement places(3);
    places.measure(used_times{0ms, 0ms, 0ms}, at(0ms));
    places.measure(used_times{100ms, 0ms, 0ms}, at(100ms));
    places.measure(used_times{101ms, 0ms, 0ms}, at(200ms));
    EXPECT_EQ(places.choose(), 0u);
}

TEST(Placement, TakesTheLeastBusyWhenAllAreBusy) {
    placement places(3);
    places.measure(used_times{0ms, 0ms, 0ms}, at(0ms));
    places.measure(used_times{99ms, 80ms, 95ms}, at(100ms));
    EXPECT_EQ(places.choose(), 1u);
}

TEST(Placement, MeasuresOnceInAWhile) {
    placement places(3);
    EXPECT_TRUE(places.is_due(at(0ms)));
    places.measure(used_times{0ms, 0ms, 0ms}, at(0ms));
    EXPECT_FALSE(places.is_due(at(99ms)));
    EXPECT_TRUE(places.is_due(at(100ms)));
}

} // namespace
} // namespace pipit::server
