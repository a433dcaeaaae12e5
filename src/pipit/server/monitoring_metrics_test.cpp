// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/limits.hpp>
#include <pipit/server/detail/monitoring_test_support.hpp>
#include <pipit/server/monitoring.hpp>

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

namespace pipit::server {
namespace {

using testing::account_a_id;
using testing::monitored;

bool has_line(const std::string& body, const std::string& line) {
    return ("\n" + body).find("\n" + line + "\n") != std::string::npos;
}

TEST(Metrics, IsPrometheusText) {
    monitored server;
    const auto answer = server.get("/metrics");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
    const std::regex comment(R"(# (HELP pipit_\w+ .+|TYPE pipit_\w+ (counter|gauge)))");
    const std::regex sample(R"re((pipit_\w+)(\{\w+="([^"\\]|\\.)*"\})? [0-9.]+)re");
    std::istringstream lines(answer.body);
    std::set<std::string> described;
    for (std::string line; std::getline(lines, line);) {
        std::smatch parts;
        if (line.starts_with("# TYPE ")) described.insert(line.substr(7, line.rfind(' ') - 7));
        if (line.starts_with('#')) {
            EXPECT_TRUE(std::regex_match(line, comment)) << line;
        } else {
            ASSERT_TRUE(std::regex_match(line, parts, sample)) << line;
            EXPECT_TRUE(described.contains(parts[1])) << line;
        }
    }
    EXPECT_GT(described.size(), 30u);
}

TEST(Metrics, CountsForTheServerEveryLoopAndEveryAccount) {
    monitored server;
    server.snapshot.loops[0].statistics.in = {.messages = 3, .bytes = 30};
    server.snapshot.loops[1].statistics.in = {.messages = 4, .bytes = 40};
    server.snapshot.loops[1].statistics.slow_consumers = 1;
    auto& account = server.snapshot.loops[1].accounts.emplace_back();
    account.id = account_a_id;
    account.connections = 5;
    const auto body = server.get("/metrics").body;
    for (const auto* line :
         {"pipit_received_messages_total 7", "pipit_received_bytes_total 70",
          "pipit_slow_consumers_total 1", R"(pipit_loop_received_messages_total{loop="0"} 3)",
          R"(pipit_loop_slow_consumers_total{loop="1"} 1)",
          R"(pipit_account_connections{account="A"} 5)",
          R"(pipit_http_requests_total{path="/metrics"} 1)",
          R"(pipit_build_info{version="0.1.0"} 1)", "pipit_ready 1",
          "# TYPE pipit_connections_total counter"}) {
        EXPECT_TRUE(has_line(body, line)) << line;
    }
}

TEST(Metrics, AddsUpTheAccountsAboveTheBound) {
    monitored server;
    server.reconfigure([&](broker::configuration& configuration) {
        for (std::uint32_t number = 0; number < 2 * limits::metrics_accounts; ++number) {
            auto& configured = configuration.accounts.emplace_back();
            configured.id = broker::account_id{1000 + number};
            configured.name = "ACC" + std::to_string(number);
            auto& account = server.snapshot.loops[number % 2].accounts.emplace_back();
            account.id = configured.id;
            account.connections = 1;
        }
    });
    const auto body = server.get("/metrics").body;
    EXPECT_TRUE(has_line(body, R"(pipit_account_connections{account="ACC0"} 1)"));
    EXPECT_TRUE(has_line(body, "pipit_account_connections{account=\"(others)\"} 103"));
    EXPECT_EQ(body.find("ACC199"), std::string::npos);
}

TEST(Metrics, EscapesLabels) {
    monitored server;
    server.reconfigure([](broker::configuration& configuration) {
        configuration.accounts[1].name = "a\"b\\c\nd\xff";
    });
    EXPECT_TRUE(has_line(server.get("/metrics").body,
                         "pipit_account_connections{account=\"a\\\"b\\\\c\\nd\ufffd\"} 0"));
}

} // namespace
} // namespace pipit::server
