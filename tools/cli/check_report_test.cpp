// SPDX-License-Identifier: Apache-2.0
#include <cli/check_report.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit::cli;

check_metric rtt(double value) {
    return {
        .name = "rtt", .value = value, .unit = "s", .warning = 0.5, .critical = 1, .help = "Trip"};
}

TEST(Check, JudgesByItsLimits) {
    for (const auto& [value, status, code] :
         {std::tuple{0.1, check_status::ok, 0}, std::tuple{0.5, check_status::warning, 1},
          std::tuple{1.0, check_status::critical, 2}}) {
        check_report report("connections", "Connection");
        report.judge(rtt(value), "fast", "slow");
        EXPECT_EQ(report.status(), status);
        EXPECT_EQ(report.exit_code("nagios"), code);
        EXPECT_EQ(report.exit_code("json"), code);
        EXPECT_EQ(report.exit_code("prometheus"), 0);
    }
    EXPECT_EQ(check_report("a", "b").exit_code("nagios"), 3);
}

TEST(Check, IsALineForNagios) {
    check_report report("connections", "Connection");
    report.judge(rtt(0.00021), "rtt time 210µs", "rtt time exceeded 0.5");
    report.measured({.name = "subs", .value = 12});
    EXPECT_EQ(report.render("nagios", "n"),
              "OK Connection OK:rtt time 210µs | rtt=0.0002s;0.5000;1.0000 subs=12\n");
    report.critical("gone");
    report.warn("late");
    EXPECT_EQ(report.render("nagios", "n").substr(0, 40),
              "CRITICAL Connection Crit:gone Warn:late ");
    check_report failed("connections", "Connection");
    failed.critical("connection failed: refused");
    EXPECT_EQ(failed.render("nagios", "n"),
              "CRITICAL Connection Crit:connection failed: refused\n");
}

TEST(Check, IsJsonLikeTheNatsTools) {
    check_report report("connections", "Connection");
    report.judge(rtt(0.25), "quick \"enough\"", "slow");
    EXPECT_EQ(report.render("json", "n"), R"({
  "status": "OK",
  "check_suite": "connections",
  "check_name": "Connection",
  "ok": [
    "quick \"enough\""
  ],
  "perf_data": [
    {
      "name": "rtt",
      "value": 0.25,
      "warning": 0.5,
      "critical": 1,
      "unit": "s"
    }
  ]
}
)");
    EXPECT_NE(check_report("a", "b").render("json", "n").find("\"perf_data\": []"),
              std::string::npos);
}

TEST(Check, IsScrapedByPrometheus) {
    check_report report("connections", "Connection");
    report.judge(rtt(0.25), "quick", "slow");
    EXPECT_EQ(report.render("prometheus", "nats_server_check"),
              "# HELP nats_server_check_connections_rtt Trip\n"
              "# TYPE nats_server_check_connections_rtt gauge\n"
              "nats_server_check_connections_rtt{item=\"Connection\"} 0.25\n"
              "# HELP nats_server_check_connections_status_code Nagios compatible status code for "
              "connections\n"
              "# TYPE nats_server_check_connections_status_code gauge\n"
              "nats_server_check_connections_status_code{item=\"Connection\",status=\"OK\"} 0\n");
}

TEST(Check, IsATableForPeople) {
    check_report report("connections", "Connection");
    report.judge(rtt(2), "quick", "slow");
    const auto text = report.render("text", "n");
    EXPECT_EQ(text.substr(0, text.find('\n')), "Connection: CRITICAL");
    EXPECT_NE(text.find("Critical  slow"), std::string::npos);
    EXPECT_NE(text.find("rtt     2.0000  s      0.5000    1.0000  Trip"), std::string::npos);
}

} // namespace
