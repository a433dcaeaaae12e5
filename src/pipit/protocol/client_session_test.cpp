// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_session.hpp>

#include <pipit/protocol/detail/session_script.hpp>
#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

namespace pipit::protocol {
namespace {

using namespace std::chrono_literals;
using detail::session_script;

TEST(ClientSession, SubscribesToItsInboxAtTheFirstRequest) {
    session_script s;
    s.connects();
    EXPECT_EQ(s.sent(), "");
    s.requests("greet");
    EXPECT_EQ(s.sent(), "SUB INBOX.* 1\r\nPUB greet INBOX.1 0\r\n\r\n");
    s.requests("greet");
    EXPECT_EQ(s.sent(), "PUB greet INBOX.2 0\r\n\r\n");
}

TEST(ClientSession, HandsEachReplyToItsRequestOnce) {
    session_script s;
    s.connects();
    const auto first = s.requests("a");
    const auto second = s.requests("b");
    s.receives(s.reply(second, "two"));
    s.receives(s.reply(first, "one"));
    s.receives(s.reply(first, "again"));
    EXPECT_EQ(s.events(), "answered:2:two | answered:1:one");
    EXPECT_EQ(s.session.next_deadline(), s.now + 120s); // The next ping.
}

TEST(ClientSession, TellsAtOnceThatNobodyListens) {
    session_script s;
    s.connects();
    const auto request = s.requests("greet");
    s.receives(s.no_responders(request));
    EXPECT_EQ(s.events(), "answered:1:no responders: to a request on \"greet\"");
}

TEST(ClientSession, NamesARequestThatIsNotAnsweredInTime) {
    session_script s;
    s.connects();
    s.requests("greet", 1500ms);
    s.waits(1499ms);
    EXPECT_EQ(s.events(), "");
    s.waits(1ms);
    EXPECT_EQ(
        s.events(),
        "answered:1:timed out: no answer to a request on \"greet\" within 1500 ms from a:4222");
}

TEST(ClientSession, EndsWhatWentOverAConnectionWithIt) {
    session_script s;
    s.connects();
    s.requests("greet");
    s.flushes();
    s.loses_transport();
    EXPECT_EQ(s.events(), "disconnected | "
                          "answered:1:the connection was lost: to a:4222, before the answer to a "
                          "request on \"greet\" | "
                          "flushed:2:the connection was lost: to a:4222, before the answer to a "
                          "flush | open:a");
}

TEST(ClientSession, SendsWhatWasAskedForWithoutAConnectionOverTheNext) {
    session_script s;
    s.requests("greet");
    s.flushes();
    s.connects();
    EXPECT_EQ(s.sent(), "SUB INBOX.* 1\r\nPUB greet INBOX.1 0\r\n\r\nPING\r\n");
    s.now += 7ms;
    s.receives(s.reply(s.operations[0], "hello") + "PONG\r\n");
    EXPECT_EQ(s.events(), "answered:1:hello | flushed:2:7ms");
}

} // namespace
} // namespace pipit::protocol
