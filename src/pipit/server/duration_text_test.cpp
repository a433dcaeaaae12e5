// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/duration_text.hpp>
#include <pipit/server/host_port.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

TEST(DurationText, IsReadInAllUnits) {
    EXPECT_EQ(parse_duration("300ms"), nanoseconds(300ms));
    EXPECT_EQ(parse_duration("-1.5h"), nanoseconds(-90min));
    EXPECT_EQ(parse_duration("1h45m0.5s"), nanoseconds(105min + 500ms));
    EXPECT_EQ(parse_duration("1us2ns3µs"), nanoseconds(4002));
    EXPECT_EQ(parse_duration("0"), nanoseconds(0));
    EXPECT_EQ(parse_duration(".5s"), nanoseconds(500ms));
}

TEST(DurationText, IsRefusedWhenItIsNone) {
    for (const auto* text : {"", "5", "s", "1x", "1 s", "1s2", ".s", "-", "1e3s", "9999999h",
                             "99999999999999999999s", "1h9223372036854775807ns"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(DurationText, IsWrittenAsNatsWritesIt) {
    EXPECT_EQ(duration_text(0s), "0s");
    EXPECT_EQ(duration_text(2min), "2m0s");
    EXPECT_EQ(duration_text(90min + 500ms), "1h30m0.5s");
    EXPECT_EQ(duration_text(100ms), "100ms");
    EXPECT_EQ(duration_text(1500us), "1.5ms");
    EXPECT_EQ(duration_text(2500ns), "2.5µs");
    EXPECT_EQ(duration_text(-7ns), "-7ns");
    EXPECT_EQ(parse_duration(duration_text(nanoseconds::max())), nanoseconds::max());
    EXPECT_EQ(parse_duration(duration_text(nanoseconds::min())), nanoseconds::min());
}

TEST(HostPort, IsSplitAtTheColonBeforeThePort) {
    const auto split = [](std::string_view text) {
        const auto parts = split_host_port(text);
        return parts ? parts->host + "|" + parts->port : "none";
    };
    EXPECT_EQ(split("localhost:4222"), "localhost|4222");
    EXPECT_EQ(split(":4222"), "|4222");
    EXPECT_EQ(split("[::1]:-1"), "::1|-1");
    for (const auto* text : {"localhost", "::1:4222", "[::1]", "[::1:4", "a]:4", "[a]b:4"}) {
        EXPECT_EQ(split(text), "none") << text;
    }
    EXPECT_EQ(parse_port("65536"), std::nullopt);
    EXPECT_EQ(parse_port("4222x"), std::nullopt);
    EXPECT_EQ(parse_port("-1"), -1);
}

TEST(HostPort, MayLackThePortWhereItIsOnlyTold) {
    const auto parse = [](std::string_view text) {
        const auto address = parse_advertised(text);
        return address ? join_host_port(address->host, address->port) : "none";
    };
    EXPECT_EQ(parse("a:1"), "a:1");
    EXPECT_EQ(parse("a"), "a:0");
    EXPECT_EQ(parse("[::1]"), "[::1]:0");
    EXPECT_EQ(parse("a:-1"), "a:0");
    EXPECT_EQ(parse("::1"), "none");
    EXPECT_EQ(parse("a:b"), "none");
}

} // namespace
} // namespace pipit::server
