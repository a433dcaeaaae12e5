// SPDX-License-Identifier: Apache-2.0
#include <cli/units.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit;
using namespace std::chrono_literals;

TEST(Units, SizesCountBy1024) {
    EXPECT_EQ(cli::parse_size("0"), 0u);
    EXPECT_EQ(cli::parse_size("128"), 128u);
    EXPECT_EQ(cli::parse_size("128B"), 128u);
    for (const auto* text : {"4k", "4K", "4KB", "4kb", "4KiB", "4 KiB"}) {
        EXPECT_EQ(cli::parse_size(text), 4096u) << text;
    }
    EXPECT_EQ(cli::parse_size("1.5M"), 1572864u);
    EXPECT_EQ(cli::parse_size("2GiB"), std::uint64_t{2} << 30);
    for (const auto* text : {"", "k", "-1", "1x", "1KBx", "1.2.3", "99999999T", "0x10", "1e3"}) {
        EXPECT_FALSE(cli::parse_size(text)) << text;
    }
}

TEST(Units, CountsMayHaveThousandsApart) {
    EXPECT_EQ(cli::parse_count("100000"), 100000u);
    EXPECT_EQ(cli::parse_count("100_000"), 100000u);
    EXPECT_EQ(cli::parse_count("1,000,000"), 1000000u);
    EXPECT_EQ(cli::parse_count("18446744073709551615"), 18446744073709551615u);
    for (const auto* text : {"", "-1", "1.5", "_1", "1_", "18446744073709551616", "1k"}) {
        EXPECT_FALSE(cli::parse_count(text)) << text;
    }
}

TEST(Units, TimeSpansAreThoseOfNatsAndDays) {
    EXPECT_EQ(cli::parse_time_span("300ms"), 300ms);
    EXPECT_EQ(cli::parse_time_span("2m30s"), 150s);
    EXPECT_EQ(cli::parse_time_span("1d"), 24h);
    EXPECT_EQ(cli::parse_time_span("1d12h"), 36h);
    EXPECT_EQ(cli::parse_time_span("0"), 0s);
    for (const auto* text : {"", "5", "-1s", "1d-1h", "d", "abc", "99999999d"}) {
        EXPECT_FALSE(cli::parse_time_span(text)) << text;
    }
}

TEST(Units, AreWrittenForPeople) {
    EXPECT_EQ(cli::size_text(0), "0 B");
    EXPECT_EQ(cli::size_text(1023), "1023 B");
    EXPECT_EQ(cli::size_text(1536), "1.5 KiB");
    EXPECT_EQ(cli::size_text(250.0 * 1024 * 1024), "250 MiB");
    EXPECT_EQ(cli::count_text(0), "0");
    EXPECT_EQ(cli::count_text(999), "999");
    EXPECT_EQ(cli::count_text(1000), "1,000");
    EXPECT_EQ(cli::count_text(1234567), "1,234,567");
    EXPECT_EQ(cli::time_span_text(831ns), "831ns");
    EXPECT_EQ(cli::time_span_text(12345ns), "12.3µs");
    EXPECT_EQ(cli::time_span_text(1260us), "1.26ms");
    EXPECT_EQ(cli::time_span_text(999'600us), "1.00s");
    EXPECT_EQ(cli::time_span_text(200s), "3m20s");
    EXPECT_EQ(cli::time_span_text(-2us), "-2.00µs");
    EXPECT_EQ(cli::seconds_text(123us), "0.000123000");
}

} // namespace
