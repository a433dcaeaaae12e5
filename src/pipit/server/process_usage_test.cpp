// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/process_usage.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

TEST(ProcessUsage, ReadsTheProcessThatItIs) {
    const auto usage = read_process_usage();
    EXPECT_GT(usage.memory_bytes, 100'000u);
    EXPECT_GE(usage.cpu_time, 0ns);
}

TEST(ProcessUsage, ReadsBehindTheCommandsName) {
    const auto ticks = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    const auto usage =
        parse_process_stat("7 (a) b ) S 1 2 3 4 5 6 7 8 9 10 " + std::to_string(2 * ticks) + ' ' +
                           std::to_string(ticks) + " 0 0 20 0 1 0 900 1000000 12 99");
    EXPECT_EQ(usage.cpu_time, 3s);
    EXPECT_EQ(usage.memory_bytes, 12u * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
}

TEST(ProcessUsage, IsZeroForWhatIsNoStat) {
    for (const auto* stat : {"", "7", "7 (a)", "7 (a) S", "7 (a) S x y z"}) {
        const auto usage = parse_process_stat(stat);
        EXPECT_EQ(usage.memory_bytes, 0u) << stat;
        EXPECT_EQ(usage.cpu_time, 0ns) << stat;
    }
}

TEST(CpuMeter, ComparesReadingsAtLeastASecondApart) {
    cpu_meter meter;
    const steady_time begin(100s);
    EXPECT_EQ(meter.percent(10s, begin), 0);
    EXPECT_EQ(meter.percent(11s, begin + 500ms), 0);
    EXPECT_EQ(meter.percent(12s, begin + 4s), 50);
    EXPECT_EQ(meter.percent(13s, begin + 4100ms), 50);
    EXPECT_EQ(meter.percent(12s + 10ms, begin + 7s), 0.3);
}

} // namespace
} // namespace pipit::server
