// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_session.hpp>

#include <pipit/base/limits.hpp>
#include <pipit/protocol/detail/session_script.hpp>
#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pipit::protocol {
namespace {

using namespace std::chrono_literals;
using detail::session_script;

TEST(Drain, EndsASubscriptionWhenWhatWasOnItsWayIsHere) {
    session_script s;
    s.connects();
    const auto a = s.session.subscribe("a").value();
    (void)s.sent();
    s.session.drain(a, s.now, 5s);
    s.session.drain(a, s.now, 5s);
    EXPECT_EQ(s.sent(), "UNSUB 1\r\nPING\r\n");
    s.receives("MSG a 1 1\r\nx\r\nPONG\r\nMSG a 1 1\r\ny\r\n");
    EXPECT_EQ(s.events(), "message:1:x | ended:1");
    EXPECT_EQ(s.sent(), "");
}

TEST(Drain, EndsAtOnceWithoutAConnection) {
    session_script s;
    const auto a = s.session.subscribe("a").value();
    s.session.drain(a, s.now, 5s);
    s.drain();
    EXPECT_EQ(s.events(), "open:a | ended:1");
}

TEST(Drain, SaysWhenMessagesMayBeLost) {
    session_script s;
    s.connects();
    s.session.drain(s.session.subscribe("a").value(), s.now, 5s);
    s.session.drain(s.session.subscribe("b").value(), s.now, 9s);
    s.waits(5s);
    EXPECT_EQ(s.events(), "ended:1:timed out: draining took longer than 5 s");
    s.loses_transport();
    EXPECT_EQ(s.events(), "disconnected | ended:2:the connection was lost: to a:4222, before "
                          "everything was here | open:a");
    s.connects();
    EXPECT_EQ(s.sent(), "");
}

TEST(Drain, OfASubscriptionThatEndsMeanwhileIsToldOnce) {
    session_script s;
    s.connects();
    const auto limited = s.session.subscribe("a").value();
    s.session.unsubscribe(limited, 1);
    const auto ended = s.session.subscribe("b").value();
    s.session.drain(limited, s.now, 5s);
    s.session.drain(ended, s.now, 5s);
    s.session.unsubscribe(ended);
    s.receives("MSG a 1 1\r\nx\r\nMSG b 2 1\r\ny\r\nPONG\r\nPONG\r\n");
    EXPECT_EQ(s.events(), "message:1:x | ended:1");
}

std::size_t count_of(bytes_view text, bytes_view in) {
    std::size_t count = 0;
    for (auto at = in.find(text); at != bytes_view::npos; at = in.find(text, at + 1)) ++count;
    return count;
}

TEST(Drain, GoesForAnyNumberOfSubscriptions) {
    constexpr std::size_t many = 100'000;
    session_script s;
    s.connects();
    std::vector<sid> all;
    for (std::size_t i = 0; i < many; ++i) all.push_back(s.session.subscribe("a").value());
    (void)s.sent();
    for (const auto each : all) s.session.drain(each, s.now, 5s);
    auto sent = s.sent();
    EXPECT_EQ(count_of("UNSUB ", sent), many);
    EXPECT_EQ(count_of("PING\r\n", sent), limits::client_pings);
    std::size_t pings = 0;
    for (auto asked = count_of("PING\r\n", sent); asked != 0;
         asked = count_of("PING\r\n", s.sent())) {
        pings += asked;
        std::string pongs;
        for (std::size_t i = 0; i < asked; ++i) pongs += "PONG\r\n";
        s.receives(pongs);
    }
    EXPECT_EQ(pings, many);
    const auto told = s.events();
    EXPECT_EQ(count_of("ended:", told), many);
    EXPECT_TRUE(told.starts_with("ended:1 | ended:2 | ")) << told.substr(0, 100);
}

TEST(Drain, OfManySubscriptionsEndsWithTheConnection) {
    session_script s;
    s.connects();
    constexpr std::size_t many = limits::client_pings + 10;
    for (std::size_t i = 0; i < many; ++i) {
        s.session.drain(s.session.subscribe("a").value(), s.now, 5s);
    }
    s.loses_transport();
    EXPECT_EQ(count_of("the connection was lost", s.events()), many);
    s.connects();
    s.flushes();
    EXPECT_EQ(s.sent(), "PING\r\n");
}

TEST(DrainAll, EndsSubscriptionsThenSendsAndCloses) {
    session_script s;
    s.connects();
    (void)s.session.subscribe("a");
    (void)s.session.subscribe("b", "q");
    (void)s.sent();
    s.session.drain_all(s.now, 30s);
    s.session.drain_all(s.now, 30s);
    EXPECT_EQ(s.session.subscribe("c").error(), errc::draining);
    EXPECT_EQ(s.session.request({.subject = "c"}, s.now, 1s).error(), errc::draining);
    EXPECT_EQ(s.sent(), "UNSUB 1\r\nUNSUB 2\r\nPING\r\n");
    s.receives("MSG a 1 5\r\nhello\r\n");
    ASSERT_TRUE(s.session.publish({.subject = "answer", .payload = "x"}));
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "message:1:hello | ended:1 | ended:2");
    EXPECT_EQ(s.session.publish({.subject = "late"}).error(), errc::draining);
    EXPECT_EQ(s.sent(), "PUB answer 1\r\nx\r\nPING\r\n");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "closed");
}

TEST(DrainAll, WaitsForRequestsThatAreUnderWay) {
    session_script s;
    s.connects();
    const auto request = s.requests("greet");
    (void)s.sent();
    s.session.drain_all(s.now, 30s);
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "");
    s.receives(s.reply(request, "hello"));
    EXPECT_EQ(s.events(), "answered:1:hello");
    EXPECT_EQ(s.sent(), "PING\r\nPING\r\n");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "closed");
}

TEST(DrainAll, SaysThatItTookTooLong) {
    session_script s;
    s.connects();
    (void)s.session.subscribe("a");
    s.requests("greet", 60s);
    s.session.drain_all(s.now, 30s);
    s.waits(30s);
    const auto told = s.events();
    EXPECT_TRUE(told.starts_with("answered:1:the connection is closed: timed out")) << told;
    EXPECT_TRUE(told.ends_with("closed:timed out: draining took longer than 30 s")) << told;
    EXPECT_NE(told.find("| ended:1:"), std::string::npos) << told;
}

TEST(DrainAll, SaysHowLongItTookInAllAndNotSinceItsLastStep) {
    for (const auto& [timeout, text] : {std::pair(30'000ms, "30 s"), std::pair(0ms, "0 ms")}) {
        session_script s;
        s.connects();
        (void)s.session.subscribe("a");
        s.session.drain_all(s.now, timeout, s.now - timeout);
        s.waits(0s);
        EXPECT_TRUE(s.events().ends_with(std::string("draining took longer than ") + text));
    }
}

TEST(DrainAll, WithoutAConnectionClosesWhenNothingWaits) {
    session_script s;
    (void)s.session.subscribe("a");
    s.session.drain_all(s.now, 30s);
    s.drain();
    EXPECT_EQ(s.events(), "open:a | ended:1 | closed");
}

TEST(DrainAll, WithoutAConnectionSendsWhatWaitsOverTheNext) {
    session_script s;
    ASSERT_TRUE(s.session.publish({.subject = "a", .payload = "x"}));
    s.session.drain_all(s.now, 30s);
    s.opens();
    s.receives("INFO {\"server_id\":\"N\"} \r\n");
    s.session.connect({});
    (void)s.sent();
    s.receives("PONG\r\n");
    EXPECT_EQ(s.sent(), "PUB a 1\r\nx\r\nPING\r\n");
    EXPECT_EQ(s.events(), "open:a | connect | connected");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "closed");
}

TEST(DrainAll, WithoutAConnectionWaitsForRequestsThatGoOverTheNext) {
    session_script s;
    const auto request = s.requests("greet");
    s.session.drain_all(s.now, 30s);
    s.connects();
    EXPECT_EQ(s.sent(), "SUB INBOX.* 1\r\nPUB greet INBOX.1 0\r\n\r\n");
    s.receives(s.reply(request, "hello"));
    EXPECT_EQ(s.events(), "answered:1:hello");
    EXPECT_EQ(s.sent(), "PING\r\n");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "closed");
}

TEST(DrainAll, SaysThatTheConnectionWasLost) {
    for (const bool in_last_phase : {false, true}) {
        session_script s;
        s.connects();
        (void)s.session.subscribe("a");
        s.session.drain_all(s.now, 30s);
        if (in_last_phase) s.receives("PONG\r\n");
        s.events();
        s.loses_transport();
        EXPECT_EQ(s.events(),
                  in_last_phase
                      ? "disconnected | closed:the connection was lost: before everything was sent"
                      : "disconnected | ended:1:the connection was lost: to a:4222, before "
                        "everything was here | closed");
    }
}

TEST(DrainAll, CanBeClosedAtAnyTime) {
    session_script s;
    s.connects();
    (void)s.session.subscribe("a");
    s.session.drain_all(s.now, 30s);
    s.session.close();
    s.drain();
    EXPECT_EQ(s.events(), "ended:1 | closed");
}

} // namespace
} // namespace pipit::protocol
