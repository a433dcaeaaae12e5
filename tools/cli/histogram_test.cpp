// SPDX-License-Identifier: Apache-2.0
#include <cli/histogram.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

using namespace pipit;
using namespace std::chrono_literals;

TEST(Histogram, IsEmptyAtFirst) {
    const cli::histogram none;
    EXPECT_EQ(none.count(), 0u);
    EXPECT_EQ(none.percentile(99), 0ns);
    EXPECT_EQ(none.smallest(), 0ns);
    EXPECT_EQ(none.mean(), 0ns);
}

TEST(Histogram, KeepsSmallValuesExactly) {
    cli::histogram some;
    for (int i = 1; i <= 100; ++i) some.record(nanoseconds(i));
    EXPECT_EQ(some.percentile(50), 50ns);
    EXPECT_EQ(some.percentile(99), 99ns);
    EXPECT_EQ(some.percentile(100), 100ns);
    EXPECT_EQ(some.percentile(0), 1ns);
    EXPECT_EQ(some.mean(), nanoseconds(51)); // 50.5
}

TEST(Histogram, IsWithinOnePercentOfTheTruth) {
    std::mt19937_64 random(1);
    std::vector<std::int64_t> values;
    cli::histogram some;
    for (int i = 0; i < 20'000; ++i) {
        values.push_back(static_cast<std::int64_t>(random() >> (20 + random() % 40)));
        some.record(nanoseconds(values.back()));
    }
    std::sort(values.begin(), values.end());
    for (const double percent : {1.0, 25.0, 50.0, 90.0, 99.0, 99.9}) {
        const auto rank = static_cast<std::size_t>(std::ceil(20'000 * percent / 100)) - 1;
        const auto truth = static_cast<double>(values[rank]);
        const auto told = static_cast<double>(some.percentile(percent).count());
        EXPECT_GE(told, truth) << percent;
        EXPECT_LE(told, truth * 1.01 + 1) << percent;
    }
    EXPECT_EQ(some.smallest().count(), values.front());
    EXPECT_EQ(some.largest().count(), values.back());
}

TEST(Histogram, MergedIsWhatOneWouldHaveSeen) {
    cli::histogram all, evens, odds;
    for (int i = 0; i < 1000; ++i) {
        all.record(std::chrono::microseconds(i));
        (i % 2 == 0 ? evens : odds).record(std::chrono::microseconds(i));
    }
    evens.merge(odds);
    for (const auto& [name, percent] : cli::shown_percentiles) {
        EXPECT_EQ(evens.percentile(percent), all.percentile(percent)) << name;
    }
    EXPECT_EQ(evens.mean(), all.mean());
    EXPECT_EQ(evens.count(), all.count());
}

TEST(Histogram, TakesAnythingForATime) {
    cli::histogram some;
    some.record(-5ns);
    some.record(nanoseconds::max());
    EXPECT_EQ(some.smallest(), 0ns);
    EXPECT_EQ(some.largest(), nanoseconds::max());
    EXPECT_EQ(some.percentile(100), nanoseconds::max());
}

} // namespace
