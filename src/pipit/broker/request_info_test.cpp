// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/request_info.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit::broker;

TEST(RequestInfo, TellsNoMoreThanWasAgreed) {
    client_facts facts{.account = "B", .round_trip = std::chrono::microseconds(5)};
    EXPECT_EQ(text_of(facts), R"({"acc":"B","rtt":5000})");
    facts.service = "M";
    facts.shared = {.host = "127.0.0.1", .client_id = 7, .user = "u", .name = "n"};
    facts.server = "s";
    EXPECT_EQ(text_of(facts),
              R"({"start":"1970-01-01T00:00:00Z","host":"127.0.0.1","id":7,"acc":"B",)"
              R"("svc":"M","user":"u","name":"n","rtt":5000,"server":"s","kind":"Client",)"
              R"("client_type":"nats"})");
}

TEST(RequestInfo, IsWrittenAsGoDoes) {
    const client_facts facts{.account = "<a&b>\xff"};
    EXPECT_EQ(text_of(facts), R"({"acc":"\u003ca\u0026b\u003e\ufffd"})");
}

TEST(RequestInfo, ReplacesWhatAClientSaysOfItself) {
    EXPECT_EQ(with_header("", "K", "v"), "NATS/1.0\r\nK: v\r\n\r\n");
    EXPECT_EQ(with_header("NATS/1.0\r\n\r\n", "K", "v"), "NATS/1.0\r\nK: v\r\n\r\n");
    EXPECT_EQ(with_header("NATS/1.0 100 x\r\nA: 1\r\nK: no\r\nKK: 2\r\nK:no\r\n\r\n", "K", "v"),
              "NATS/1.0 100 x\r\nA: 1\r\nKK: 2\r\nK: v\r\n\r\n");
}

TEST(RequestInfo, EndsABlockThatIsNotEnded) {
    EXPECT_EQ(with_header("NATS/1.0\r\nA: 1\r\n", "K", "v"), "NATS/1.0\r\nA: 1\r\nK: v\r\n\r\n");
    EXPECT_EQ(with_header("N", "K", "v"), "NATS/1.0\r\nK: v\r\n\r\n");
}

} // namespace
