// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/detail/test_brokers.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pipit::broker {
namespace {

/// What the trace says of a client that sends this.
std::vector<std::string> traced(std::string_view sent) {
    auto config = open_configuration();
    config->trace_protocol = true;
    std::vector<std::string> lines;
    const logger log(
        [&](log_level level, std::string_view line) {
            const auto begin = line.find("<<- ");
            if (level != log_level::trace || begin == std::string_view::npos) return;
            lines.emplace_back(line.substr(begin + 4));
        },
        false, true);
    mesh links(1);
    shared_counters counters;
    broker core(0, 1, config, links, counters, log);
    const moment now{steady_time(std::chrono::hours(1)), wall_time(std::chrono::hours(1))};
    int driver = 0;
    auto& client = core.open({.ip = "127.0.0.1", .port = 1}, &driver, now);
    core.receive(client, 0, sent, now);
    return lines;
}

TEST(ProtocolTrace, CallsAMessageAsItCame) {
    using lines = std::vector<std::string>;
    EXPECT_EQ(
        traced("CONNECT {\"headers\":true}\r\n"
               "PUB a  r 1\r\nx\r\nHPUB a 0 1\r\nx\r\nHPUB a\tr  0 1\r\nx\r\nPUB a 0\r\n\r\n"
               "HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n"),
        (lines{"[CONNECT {\"headers\":true}]", "[PUB a  r 1]", "MSG_PAYLOAD: [\"x\"]",
               "[HPUB a 0 1]", "MSG_PAYLOAD: [\"x\"]", "[HPUB a\tr  0 1]", "MSG_PAYLOAD: [\"x\"]",
               "[PUB a 0]", "[HPUB a 12 12]", R"(MSG_PAYLOAD: ["NATS/1.0\r\n\r\n"])"}));
}

TEST(ProtocolTrace, TellsOfAConnectThatCannotBeReadWithoutWhatItSays) {
    EXPECT_EQ(traced("CONNECT {\"pass\":\"secret\r\n"), std::vector<std::string>{"[CONNECT]"});
}

} // namespace
} // namespace pipit::broker
