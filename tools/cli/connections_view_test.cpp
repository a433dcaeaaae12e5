// SPDX-License-Identifier: Apache-2.0
#include <cli/connections_view.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit;
using namespace pipit::cli;
using namespace std::chrono_literals;

constexpr auto varz =
    R"({"server_name":"N","version":"2.15.2","uptime":"1m","cpu":1.5,"mem":2097152,
  "connections":2,"subscriptions":7,"slow_consumers":1,"in_msgs":100,"out_msgs":50,"in_bytes":1000,
  "out_bytes":500,"unknown":{}})";

std::string connz(std::uint64_t in, std::uint64_t out) {
    return R"({"connections":[{"cid":5,"name":"b","ip":"10.0.0.1","port":123,"lang":"go",)"
           R"("version":"1.2","subscriptions":3,"pending_bytes":0,"in_msgs":)" +
           std::to_string(in) + R"(,"out_msgs":)" + std::to_string(out) +
           R"(,"in_bytes":0,"out_bytes":2048,"uptime":"5s","idle":"1s",)"
           R"("subscriptions_list":["x.>","y"]},{"cid":9,"name":"a","ip":"::1","port":1,)"
           R"("subscriptions":4,"in_msgs":1,"out_msgs":1}]})";
}

server_snapshot at(steady_time when, std::uint64_t in, std::uint64_t out) {
    return read_snapshot(varz, connz(in, out), when).value();
}

TEST(Top, ReadsWhatAServerAnswers) {
    const auto now = at(steady_time(), 10, 20);
    EXPECT_EQ(now.name, "N");
    EXPECT_EQ(now.memory_bytes, 2097152u);
    ASSERT_EQ(now.rows.size(), 2u);
    EXPECT_EQ(now.rows[0].address, "10.0.0.1:123");
    EXPECT_EQ(now.rows[0].language, "go 1.2");
    EXPECT_EQ(now.rows[0].subjects, (std::vector<std::string>{"x.>", "y"}));
    EXPECT_FALSE(read_snapshot("<html>", "{}", {}));
    EXPECT_FALSE(read_snapshot("{}", "[]", {}));
    EXPECT_TRUE(read_snapshot("{}", R"({"connections":[1,null]})", {}));
}

TEST(Top, KnowsRatesFromTwoSnapshots) {
    const auto before = at(steady_time(1s), 10, 20);
    const auto now = at(steady_time(3s), 30, 20);
    EXPECT_EQ(rates_of(now.rows[0], now, &before).messages_from, 10);
    EXPECT_EQ(rates_of(now.rows[0], now, &before).messages_to, 0);
    EXPECT_EQ(rates_of(now.rows[0], now, nullptr).messages_from, 0);
    EXPECT_NE(server_lines(now, &before).find("per second"), std::string::npos);
    EXPECT_EQ(server_lines(now, nullptr).find("per second"), std::string::npos);
}

TEST(Top, SumsUpWhatWasWatched) {
    auto first = at(steady_time(1s), 10, 20), last = at(steady_time(3s), 30, 20);
    last.messages_in += 1234;
    last.bytes_out += 1024;
    EXPECT_EQ(watched_line(first, last, 3),
              "Looked 3 times in 2.00s: in 1,234 messages, 0 B, out 0 messages, 1.0 KiB; 2 "
              "connections at the end");
    last.messages_in = 7; // Another server by now.
    EXPECT_NE(watched_line(first, last, 3).find("in 7 messages"), std::string::npos);
}

TEST(Top, OrdersByAKey) {
    const auto now = at(steady_time(), 10, 20);
    const auto first = [&](const char* key) {
        return connections_table(now, nullptr, {.sort = key}).rows.front().front();
    };
    EXPECT_EQ(first("cid"), "5");
    EXPECT_EQ(first("name"), "9");
    EXPECT_EQ(first("subs"), "9");
    EXPECT_EQ(first("msgs_to"), "5");
    EXPECT_EQ(connections_table(now, nullptr, {.rows_max = 1}).rows.size(), 1u);
}

TEST(Top, IsATableOrALineOfJson) {
    const auto now = at(steady_time(), 10, 20);
    const auto shown = connections_table(now, nullptr, {.shows_subjects = true});
    EXPECT_EQ(shown.rows[0].back(), "x.>, y");
    EXPECT_EQ(shown.rows[0][7], "2.0 KiB");
    EXPECT_EQ(connections_table(now, nullptr, {.exact = true}).rows[0][7], "2048");
    const auto line = snapshot_line(now, nullptr, {});
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_NE(line.find(R"("cid":5)"), std::string::npos);
    EXPECT_EQ(line.find("subjects"), std::string::npos);
}

} // namespace
