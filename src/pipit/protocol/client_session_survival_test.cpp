// SPDX-License-Identifier: Apache-2.0
// Servers that come and go, and a process that sleeps.
#include <pipit/protocol/client_session.hpp>

#include <pipit/base/limits.hpp>
#include <pipit/protocol/detail/session_script.hpp>
#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

namespace pipit::protocol {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using detail::session_script;

TEST(Survival, AProcessThatSleptReadsBeforeItCallsARequestLate) {
    session_script s;
    s.connects();
    const auto request = s.requests("greet", 5s);
    s.waits(30s); // Suspended.
    EXPECT_EQ(s.events(), "");
    EXPECT_EQ(s.session.next_deadline(), s.now + 100ms);
    s.receives(s.reply(request, "hello"));
    EXPECT_EQ(s.events(), "answered:1:hello");
    s.requests("greet", 5s);
    s.waits(30s);
    s.waits(100ms);
    EXPECT_EQ(s.events(),
              "answered:2:timed out: no answer to a request on \"greet\" within 5 s from a:4222");
}

TEST(Survival, AProcessThatSleptDoesNotCallTheServerStaleForPingsThatItCouldNotRead) {
    session_script s;
    s.connects();
    s.waits(120s);
    s.waits(120s);
    EXPECT_EQ(s.sent(), "PING\r\nPING\r\n");
    s.waits(10min); // Suspended; the PONGs wait in the socket.
    EXPECT_EQ(s.events(), "");
    EXPECT_EQ(s.sent(), "PING\r\n");
    s.receives("PONG\r\nPONG\r\nPONG\r\n");
    s.waits(5s);
    s.waits(120s);
    EXPECT_EQ(s.events(), "");
    EXPECT_TRUE(s.session.is_connected());
}

TEST(Survival, AProcessThatSleptFindsOutSoonThatTheConnectionIsGone) {
    session_script s;
    s.connects();
    s.waits(10min);
    EXPECT_EQ(s.session.next_deadline(), s.now + 5s);
    s.waits(5s);
    EXPECT_EQ(s.events(), "disconnected | open:a");
}

TEST(Survival, ADriverThatIsAlwaysLateEndsAStaleConnectionAllTheSame) {
    session_script s;
    s.connects();
    for (int i = 0; i < 10 && s.session.is_connected(); ++i) s.waits(10min);
    EXPECT_FALSE(s.session.is_connected());
}

TEST(Survival, AProcessThatSleptWhileConnectingGivesTheServerItsTimeOnceAgain) {
    session_script s;
    s.opens();
    s.waits(10min);
    EXPECT_EQ(s.events(), "open:a");
    s.receives("INFO {\"server_id\":\"N\"} \r\n");
    s.session.connect({});
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "connect | connected");
}

TEST(Survival, WhatComesInIsASignOfLife) {
    session_script s;
    s.connects();
    (void)s.session.subscribe("a");
    for (int i = 0; i < 10; ++i) {
        s.waits(120s);
        s.receives("MSG a 1 0\r\n\r\n");
    }
    EXPECT_TRUE(s.session.is_connected());
}

TEST(Survival, AnIntervalOfNothingSendsNoPings) {
    session_script s({.protocol = {.ping_interval = 0ms}});
    s.connects();
    EXPECT_EQ(s.session.next_deadline(), std::nullopt);
    s.waits(1h);
    EXPECT_EQ(s.sent(), "");
    EXPECT_EQ(s.events(), "");
}

TEST(Survival, AServerThatThrowsItOutAgainAndAgainIsTriedWithPauses) {
    session_script s;
    s.connects();
    s.loses_transport(); // At once: it may have been an old connection's end.
    EXPECT_EQ(s.events(), "disconnected | open:a");
    s.connects();
    s.loses_transport();
    EXPECT_EQ(s.events(), "disconnected");
    EXPECT_EQ(s.session.next_deadline(), s.now + 100ms);
    s.waits(100ms);
    s.connects();
    s.loses_transport();
    s.waits(100ms);
    EXPECT_EQ(s.events(), "disconnected"); // 200 ms this time.
    s.waits(100ms);
    EXPECT_EQ(s.events(), "open:a");
    s.connects();
    s.now += 1min;
    s.loses_transport();
    EXPECT_EQ(s.events(), "disconnected | open:a");
}

TEST(Survival, AFullServerIsTriedAgainLater) {
    session_script s({.protocol = {.retry_first_connect = true}});
    s.opens();
    s.receives("INFO {\"server_id\":\"N\"} \r\n-ERR 'maximum connections exceeded'\r\n");
    EXPECT_EQ(s.events(), "open:a | connect | error:maximum connections exceeded | disconnected");
    s.waits(100ms);
    EXPECT_EQ(s.events(), "open:a");
}

TEST(Survival, TellsWhichServersAreNew) {
    session_script s;
    s.opens();
    s.receives("INFO {\"server_id\":\"N\",\"connect_urls\":[\"a:4222\",\"b:4222\"]} \r\n");
    s.session.connect({});
    s.receives("PONG\r\nINFO {\"connect_urls\":[\"b:4222\",\"c:4333\"]} \r\n");
    EXPECT_EQ(s.events(), "open:a | discovered:b:4222 | connect | connected | "
                          "discovered:c:4333 | info");
}

TEST(Survival, SaysWhatAServerDidNotDoInTime) {
    for (const auto& [steps, text] :
         {std::pair(0, "no connection within 5 s"), std::pair(1, "no INFO within 5 s"),
          std::pair(2, "no answer to CONNECT within 5 s")}) {
        session_script s;
        if (steps > 0) s.opens();
        if (steps > 1) s.receives("INFO {\"server_id\":\"N\"} \r\n");
        s.waits(5s);
        EXPECT_TRUE(s.events().ends_with(
            std::string("closed:no server is available: a:4222: timed out: ") + text));
    }
}

TEST(Survival, RefusalsFindTheirSubscriptionsAmongManyInTheServersOrder) {
    session_script s;
    s.connects();
    constexpr std::size_t count = 20'000;
    for (std::size_t i = 0; i < count; ++i) {
        (void)s.session.subscribe(i % 2 == 0 ? "open." + std::to_string(i) : "secret");
    }
    (void)s.sent();
    std::string refusals;
    for (std::size_t i = 0; i < count / 2; ++i) {
        refusals += "-ERR 'Permissions Violation for Subscription to \"secret\"'\r\n";
    }
    s.session.commit(0, s.now);
    std::vector<sid> ended;
    bytes_view rest = refusals;
    while (!rest.empty()) {
        const auto space = s.session.prepare();
        const auto part = std::min(space.size(), rest.size());
        std::memcpy(space.data(), rest.data(), part);
        s.session.commit(part, s.now);
        rest.remove_prefix(part);
        while (const auto event = s.session.next_event()) {
            if (const auto* end = std::get_if<subscription_ended>(&*event)) {
                ended.push_back(end->subscription);
            }
        }
    }
    ASSERT_EQ(ended.size(), count / 2);
    EXPECT_TRUE(std::is_sorted(ended.begin(), ended.end()));
}

TEST(Survival, ASubscriptionWhoseLineIsTooLongForAServerEnds) {
    constexpr auto refusal = "-ERR 'maximum control line exceeded'\r\n";
    session_script s;
    s.connects();
    const std::string long_subject(5000, 'x');
    for (const auto& subject : {"a"s, long_subject, "b"s}) (void)s.session.subscribe(subject);
    (void)s.sent();
    s.receives(refusal);
    EXPECT_EQ(s.events(), "error:maximum control line exceeded | disconnected | open:a");
    s.connects();
    EXPECT_EQ(s.sent(), "SUB a 1\r\nSUB " + long_subject + " 2\r\nSUB b 3\r\nPING\r\n");
    s.receives(refusal);
    EXPECT_EQ(s.events(), "error:maximum control line exceeded | ended:2:the peer refused: "
                          "maximum control line exceeded (a:4222) | disconnected");
    s.waits(5s);
    s.connects();
    EXPECT_EQ(s.sent(), "SUB a 1\r\nSUB b 3\r\nPING\r\n");
    s.receives("PONG\r\n");
    // By what was published, which is not sent again.
    s.receives(refusal);
    EXPECT_EQ(s.events(), "error:maximum control line exceeded | disconnected");
}

TEST(Survival, OfTwoLongLinesTheLongerOneEndsWithTheBlankBeforeItsQueue) {
    session_script s;
    s.connects();
    (void)s.session.subscribe(std::string(4094, 'x'));
    (void)s.session.subscribe(std::string(4090, 'y'), "four");
    for (int i = 0; i < 2; ++i) {
        s.receives("-ERR 'maximum control line exceeded'\r\n");
        (void)s.events();
        (void)s.sent();
        if (i != 0) s.waits(5s);
        s.connects();
    }
    const auto sent = s.sent();
    EXPECT_NE(sent.find("xxxx 1\r\n"), std::string::npos);
    EXPECT_EQ(sent.find("yyyy"), std::string::npos);
}

TEST(Survival, RequestsFailWhereTheInboxesLineIsTooLong) {
    constexpr auto refusal = "-ERR 'maximum control line exceeded'\r\n";
    client_session_options options;
    options.inbox_prefix = std::string(5000, 'x');
    session_script s(options);
    s.connects();
    (void)s.requests("a");
    s.receives(refusal);
    s.connects();
    (void)s.requests("a");
    s.receives(refusal);
    EXPECT_EQ(s.events(), "error:maximum control line exceeded | answered:2:the peer refused: "
                          "maximum control line exceeded (a:4222) | disconnected");
    s.waits(5s);
    s.connects();
    EXPECT_EQ(s.sent(), "PING\r\n");
}

TEST(Survival, ReadsIntoALargerBufferUnderLoadAndASmallOneWhenIdle) {
    session_script s;
    s.connects();
    (void)s.session.subscribe("a");
    EXPECT_EQ(s.session.prepare().size(), limits::input_buffer_bytes_min);
    std::string wire;
    while (wire.size() < 4'000'000) wire += "MSG a 1 3\r\nabc\r\n";
    s.receives(wire);
    s.receives("MSG a 1 3\r\nabc\r\n");
    EXPECT_EQ(s.session.prepare().size(), limits::input_buffer_bytes_max);
    s.waits(120s);
    s.receives("PONG\r\n");
    EXPECT_EQ(s.session.prepare().size(), limits::input_buffer_bytes_min);
}

} // namespace
} // namespace pipit::protocol
