// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/time_zone.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

/// Seconds since 1970 of noon, UTC.
constexpr std::int64_t winter_2026 = 1768478400; // 15 January
constexpr std::int64_t summer_2026 = 1784116800; // 15 July

std::int64_t hour_at(const std::string& place, std::int64_t utc) {
    const auto local = local_time_at(place, utc);
    return local ? local->since_midnight / 1h : -1;
}

TEST(TimeZone, KnowsSummersAndWinters) {
    EXPECT_EQ(hour_at("UTC", winter_2026), 12);
    EXPECT_EQ(hour_at("Europe/Vienna", winter_2026), 13);
    EXPECT_EQ(hour_at("Europe/Vienna", summer_2026), 14);
    EXPECT_EQ(hour_at("America/New_York", winter_2026), 7);
    EXPECT_EQ(hour_at("America/New_York", summer_2026), 8);
    // The summer of the south goes over the end of the year.
    EXPECT_EQ(hour_at("Australia/Sydney", winter_2026), 23);
    EXPECT_EQ(hour_at("Australia/Sydney", summer_2026), 22);
    EXPECT_EQ(local_time_at("Asia/Kolkata", winter_2026)->since_midnight, 17h + 30min);
}

TEST(TimeZone, KnowsTheSecondOfAChange) {
    constexpr std::int64_t change = 1774746000; // 29 March 2026, 01:00 UTC
    EXPECT_EQ(hour_at("Europe/Vienna", change - 1), 1);
    EXPECT_EQ(hour_at("Europe/Vienna", change), 3);
    constexpr std::int64_t back = 1792890000; // 25 October 2026, 01:00 UTC
    EXPECT_EQ(hour_at("Europe/Vienna", back - 1), 2);
    EXPECT_EQ(local_time_at("Europe/Vienna", back - 1)->offset, 2h);
    EXPECT_EQ(hour_at("Europe/Vienna", back), 2);
    EXPECT_EQ(local_time_at("Europe/Vienna", back)->offset, 1h);
    // In a time that stands in the table itself.
    EXPECT_EQ(local_time_at("Europe/Vienna", 500'000'000)->offset, 1h);
}

TEST(TimeZone, IsNoFileElsewhere) {
    for (const auto* place :
         {"Nowhere/Atall", "../../../etc/passwd", "/etc/localtime", "Europe", "a.b", "zone.tab"}) {
        EXPECT_FALSE(local_time_at(place, winter_2026)) << place;
    }
    EXPECT_TRUE(local_time_at("", winter_2026));
}

} // namespace
} // namespace pipit::server
