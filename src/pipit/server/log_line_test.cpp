// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/log_line.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

/// 2026-11-21 04:21:57.973123456 UTC
constexpr wall_time moment_of_tests{nanoseconds(1795234917973123456)};

TEST(LogLine, HasPidTimeAndLevelAsToolsExpect) {
    EXPECT_EQ(log_line({.pid = 812, .in_utc = true}, log_level::info, moment_of_tests, "text"),
              "[812] 2026/11/21 04:21:57.973123 [INF] text\n");
    EXPECT_EQ(log_line({.pid = 812, .with_time = false}, log_level::fatal, moment_of_tests, "text"),
              "[812] [FTL] text\n");
}

TEST(LogLine, IsColoredForATerminal) {
    const log_prefix prefix{.pid = 1, .with_time = false, .in_colors = true};
    EXPECT_EQ(log_line(prefix, log_level::warning, moment_of_tests, "text"),
              "[1] [\x1b[0;93mWRN\x1b[0m] text\n");
    EXPECT_EQ(log_line(prefix, log_level::trace, moment_of_tests, "text"),
              "[1] [\x1b[33mTRC\x1b[0m] text\n");
}

TEST(LogLine, ABackupsNameSaysWhenItWasMade) {
    const auto name = backup_name("nats.log", moment_of_tests);
    EXPECT_TRUE(name.starts_with("nats.log.2026.11.2")) << name; // The zone is the machine's.
    EXPECT_TRUE(name.ends_with(".57.973123456")) << name;
    EXPECT_TRUE(is_backup_name("nats.log", name));
    EXPECT_FALSE(is_backup_name("nats.log", "nats.log"));
    EXPECT_FALSE(is_backup_name("nats.log", "nats.log.2026.11.21"));
    EXPECT_FALSE(is_backup_name("nats.log", name + "x"));
    EXPECT_FALSE(is_backup_name("other.log", name));
}

} // namespace
} // namespace pipit::server
