// SPDX-License-Identifier: Apache-2.0
// A server that is about to stop is left without losing anything.
#include <pipit/protocol/client_session.hpp>

#include <pipit/protocol/detail/session_script.hpp>
#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pipit::protocol {
namespace {

using namespace std::chrono_literals;
using detail::session_script;

constexpr auto leaves_within = 2s;
constexpr auto waits_for_requests = 10s;

client_session_options two_servers() {
    client_session_options options;
    options.protocol.servers = {{.host = "a"}, {.host = "b"}};
    return options;
}

void is_told_of_the_end(session_script& s) {
    s.receives("INFO {\"server_id\":\"N\",\"headers\":true,\"ldm\":true} \r\n");
    EXPECT_EQ(s.events(), "info | lame_duck");
}

/// Up to and with what is sent over the next connection.
std::string connects_again(session_script& s) {
    s.connects();
    return s.sent();
}

TEST(Leaving, WaitsUntilWhatWasOnItsWayIsHereAndHoldsBackWhatIsNew) {
    session_script s(two_servers());
    s.connects();
    (void)s.session.subscribe("a", "q");
    const auto limited = s.session.subscribe("b").value();
    s.session.unsubscribe(limited, 3);
    s.receives("MSG b 2 1\r\nx\r\n");
    (void)s.sent();
    (void)s.events();
    is_told_of_the_end(s);
    EXPECT_TRUE(s.session.publish({.subject = "old"}));
    EXPECT_EQ(s.sent(), "PUB old 0\r\n\r\n");
    s.waits(leaves_within);
    EXPECT_EQ(s.sent(), "UNSUB 1\r\nUNSUB 2\r\nPING\r\n");
    EXPECT_TRUE(s.session.publish({.subject = "new"}));
    (void)s.session.subscribe("c");
    s.flushes();
    EXPECT_EQ(s.sent(), "");
    EXPECT_TRUE(s.session.is_connected());
    s.receives("MSG a 1 1\r\ny\r\nMSG b 2 1\r\nz\r\nPONG\r\n");
    EXPECT_EQ(s.events(), "message:1:y | message:2:z | disconnected | open:b");
    EXPECT_EQ(connects_again(s), "SUB a q 1\r\nSUB b 2\r\nUNSUB 2 1\r\nSUB c 3\r\n"
                                 "PUB new 0\r\n\r\nPING\r\n");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "flushed:1:0ms");
}

TEST(Leaving, WaitsForRequestsAndFlushesThatAreUnderWay) {
    session_script s(two_servers());
    s.connects();
    const auto request = s.requests("greet", 8s);
    (void)s.sent();
    is_told_of_the_end(s);
    s.waits(leaves_within);
    const auto second = s.requests("greet");
    EXPECT_EQ(s.sent(), "PUB greet INBOX.2 0\r\n\r\n");
    s.receives(s.reply(second, "one"));
    EXPECT_EQ(s.sent(), "");
    s.flushes();
    s.receives(s.reply(request, "two"));
    EXPECT_EQ(s.sent(), "PING\r\nUNSUB 1\r\nPING\r\n");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "answered:2:one | answered:1:two | flushed:3:0ms");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "disconnected | open:b");
}

TEST(Leaving, WaitsForRequestsOnlySoLong) {
    session_script s(two_servers());
    s.connects();
    (void)s.session.subscribe("a");
    const auto request = s.requests("greet", 60s);
    (void)s.requests("slow", 60s);
    (void)s.sent();
    is_told_of_the_end(s);
    s.waits(waits_for_requests);
    EXPECT_EQ(s.sent(), "UNSUB 1\r\nPING\r\n");
    const auto next = s.requests("greet");
    EXPECT_EQ(s.sent(), "");
    s.receives(s.reply(request, "one"));
    EXPECT_EQ(s.events(), "answered:1:one");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "disconnected | answered:2:the connection was lost: to a:4222, before "
                          "the answer to a request on \"slow\" | open:b");
    EXPECT_NE(connects_again(s).find("PUB greet INBOX.3 0\r\n\r\n"), std::string::npos);
    s.receives(s.reply(next, "three"));
    EXPECT_EQ(s.events(), "answered:3:three");
}

TEST(Leaving, WaitsForExchangesOfTheDriverAsForRequests) {
    for (const bool ends : {true, false}) {
        session_script s(two_servers());
        s.connects();
        s.session.begin_exchange();
        s.session.begin_exchange();
        is_told_of_the_end(s);
        s.session.end_exchange();
        s.waits(waits_for_requests - 1ms);
        EXPECT_EQ(s.sent(), "");
        if (ends) {
            s.session.end_exchange();
            s.drain();
        } else {
            s.waits(1ms);
        }
        EXPECT_EQ(s.sent(), "PING\r\n");
        s.receives("PONG\r\n");
        EXPECT_EQ(s.events(), "disconnected | open:b");
    }
}

/// Whose reading is held back, or whose server is slow, may wait for long.
TEST(Leaving, LosesNothingThatWasSentHoweverLongItTakes) {
    session_script s(two_servers());
    s.connects();
    (void)s.session.subscribe("a");
    is_told_of_the_end(s);
    s.waits(leaves_within);
    s.waits(60s);
    EXPECT_EQ(s.events(), "");
    s.receives("MSG a 1 1\r\nx\r\nPONG\r\n");
    EXPECT_EQ(s.events(), "message:1:x | disconnected | open:b");
}

TEST(Leaving, SaysSoWhenTheServerGoesBeforeItHasTakenEverything) {
    session_script s(two_servers());
    s.connects();
    const auto drained = s.session.subscribe("a").value();
    is_told_of_the_end(s);
    EXPECT_TRUE(s.session.publish({.subject = "old"}));
    s.waits(leaves_within);
    EXPECT_TRUE(s.session.publish({.subject = "new"}));
    s.flushes();
    s.session.drain(drained, s.now, 30s);
    (void)s.sent();
    s.loses_transport();
    const auto told = s.events();
    EXPECT_NE(told.find("flushed:1:the connection was lost"), std::string::npos) << told;
    EXPECT_NE(told.find("ended:1:the connection was lost"), std::string::npos) << told;
    EXPECT_NE(connects_again(s).find("PUB new 0\r\n\r\n"), std::string::npos);
}

TEST(Leaving, IsGivenUpByWhoCloses) {
    session_script s(two_servers());
    s.connects();
    is_told_of_the_end(s);
    s.waits(leaves_within);
    EXPECT_TRUE(s.session.publish({.subject = "new"}));
    EXPECT_EQ(s.sent(), "PING\r\n");
    s.session.stay();
    EXPECT_EQ(s.sent(), "PUB new 0\r\n\r\n");
    s.session.close();
    s.drain();
    EXPECT_EQ(s.events(), "closed");
}

TEST(Leaving, IsForThoseWhoMayGoElsewhere) {
    auto stays = two_servers();
    stays.protocol.reconnect = false;
    for (const auto& options : {client_session_options{}, stays}) {
        session_script s(options);
        s.connects();
        is_told_of_the_end(s);
        s.waits(20s);
        EXPECT_EQ(s.sent(), "");
        EXPECT_EQ(s.events(), "");
        EXPECT_TRUE(s.session.is_connected());
    }
}

TEST(Leaving, IsNotWorthItForWhoEndsAnyway) {
    session_script s(two_servers());
    s.connects();
    is_told_of_the_end(s);
    s.session.drain_all(s.now, 30s);
    s.waits(leaves_within);
    EXPECT_EQ(s.sent(), "PING\r\n");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.sent(), "PING\r\n");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "closed");
}

TEST(Leaving, SendsWhatWaitedBeforeADrainEnds) {
    session_script s(two_servers());
    s.connects();
    (void)s.session.subscribe("a");
    is_told_of_the_end(s);
    s.waits(leaves_within);
    EXPECT_TRUE(s.session.publish({.subject = "new"}));
    s.session.drain_all(s.now, 30s);
    s.receives("PONG\r\nMSG a 1 1\r\nx\r\n");
    EXPECT_EQ(s.events(), "message:1:x");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "ended:1 | disconnected | open:b");
    EXPECT_EQ(connects_again(s), "PUB new 0\r\n\r\nPING\r\n");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "closed");
}

} // namespace
} // namespace pipit::protocol
