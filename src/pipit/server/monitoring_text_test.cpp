// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_text.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

TEST(MonitoringText, WritesUptimesWithEveryLowerUnit) {
    EXPECT_EQ(uptime_text(9900ms), "9s");
    EXPECT_EQ(uptime_text(62s), "1m2s");
    EXPECT_EQ(uptime_text(3723s), "1h2m3s");
    EXPECT_EQ(uptime_text(48h), "2d0h0m0s");
    EXPECT_EQ(uptime_text(24h * 367 + 3h + 4min + 5s), "1y2d3h4m5s");
}

} // namespace
} // namespace pipit::server
