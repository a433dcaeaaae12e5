// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_session.hpp>

#include <pipit/base/limits.hpp>
#include <pipit/protocol/detail/session_script.hpp>
#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

namespace pipit::protocol {
namespace {

using namespace std::chrono_literals;
using detail::session_script;

TEST(Request, SubscribesToTheInboxOnce) {
    session_script s;
    s.connects();
    EXPECT_EQ(s.sent(), "");
    s.requests("greet");
    EXPECT_EQ(s.sent(), "SUB INBOX.* 1\r\nPUB greet INBOX.1 0\r\n\r\n");
    s.requests("greet");
    EXPECT_EQ(s.sent(), "PUB greet INBOX.2 0\r\n\r\n");
    EXPECT_TRUE(s.inbox.starts_with("_INBOX."));
}

TEST(Request, HasTheInboxThatIsAskedFor) {
    session_script s({.inbox_prefix = "_INBOX_me"});
    s.connects();
    (void)s.session.request({.subject = "greet"}, s.now, 1s);
    EXPECT_NE(s.sent().find("SUB _INBOX_me."), std::string::npos);
    EXPECT_TRUE(s.session.new_inbox().starts_with("_INBOX_me."));
}

TEST(Request, GetsItsReplyAndNoOther) {
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

TEST(Request, IsNotAnsweredByWhatIsNoReply) {
    session_script s;
    s.connects();
    s.requests("a");
    (void)s.reply(s.operations[0], "");
    for (const auto* subject : {"", "!", "AAAAAAAAAAAA", "x.y"}) {
        s.receives("MSG " + s.inbox + subject + " 1 0\r\n\r\n");
    }
    s.receives("MSG elsewhere 1 0\r\n\r\n");
    EXPECT_EQ(s.events(), "");
}

TEST(Request, IsToldAtOnceThatNobodyListens) {
    session_script s;
    s.connects();
    s.receives(s.no_responders(s.requests("greet")));
    EXPECT_EQ(s.events(), "answered:1:no responders: to a request on \"greet\"");
}

TEST(Request, SaysWhatWasNotAnsweredAndHowLongItWaited) {
    session_script s;
    s.connects();
    s.requests("greet", 1500ms);
    s.waits(1499ms);
    EXPECT_EQ(s.events(), "");
    s.waits(1ms);
    EXPECT_EQ(
        s.events(),
        "answered:1:timed out: no answer to a request on \"greet\" within 1500 ms from a:4222");
    s.receives(s.reply(s.operations[0], "late"));
    EXPECT_EQ(s.events(), "");
}

TEST(Request, SaysThatThereWasNoConnection) {
    session_script s;
    s.requests("greet", 1s);
    s.waits(1s);
    EXPECT_EQ(s.events(), "open:a | answered:1:timed out: no answer to a request on \"greet\" "
                          "within 1 s, for there was no connection to send it over");
}

TEST(Request, EndsWithTheConnectionThatItWentOver) {
    session_script s;
    s.connects();
    s.requests("greet");
    s.loses_transport();
    s.requests("greet");
    EXPECT_EQ(s.events(), "disconnected | answered:1:the connection was lost: to a:4222, before "
                          "the answer to a request on \"greet\" | open:a");
    s.connects();
    s.receives(s.reply(s.operations[1], "hello"));
    EXPECT_EQ(s.events(), "answered:2:hello");
}

TEST(Request, IsRefusedAtOnceForItsSubject) {
    session_script s;
    s.connects();
    s.requests("secret");
    s.requests("open");
    s.requests("secret");
    s.receives("-ERR 'Permissions Violation for Publish to \"secret\"'\r\n");
    EXPECT_EQ(s.events(), "error:Permissions Violation for Publish to \"secret\" | "
                          "answered:1:not permitted: Permissions Violation for Publish to "
                          "\"secret\" (a:4222) | "
                          "answered:3:not permitted: Permissions Violation for Publish to "
                          "\"secret\" (a:4222)");
}

TEST(Request, IsRefusedAtOnceForTheInboxWhichIsTriedAgainByTheNext) {
    session_script s;
    s.connects();
    s.requests("greet");
    (void)s.sent();
    s.receives("-ERR 'Permissions Violation for Subscription to \"" + s.inbox + "*\"'\r\n");
    EXPECT_NE(s.events().find("| answered:1:not permitted: Permissions Violation"),
              std::string::npos);
    s.requests("greet");
    EXPECT_EQ(s.sent(), "SUB INBOX.* 2\r\nPUB greet INBOX.2 0\r\n\r\n");
}

TEST(Request, IsCancelledOnce) {
    session_script s;
    s.connects();
    const auto request = s.requests("greet");
    s.session.cancel(request);
    s.session.cancel(request);
    s.receives(s.reply(request, "late"));
    EXPECT_EQ(s.events(), "answered:1:cancelled");
}

TEST(Request, CannotBeMoreThanTheLimit) {
    session_script s;
    s.connects();
    std::string sink;
    for (std::size_t i = 0; i < limits::client_operations; ++i) {
        ASSERT_TRUE(s.session.request({.subject = "a"}, s.now, 5s));
        if (i % 100'000 == 0) {
            s.session.take_output(sink);
            sink.clear();
        }
    }
    EXPECT_EQ(s.session.request({.subject = "a"}, s.now, 5s).error(), errc::output_full);
    s.session.close();
    std::size_t answers = 0;
    while (const auto event = s.session.next_event()) {
        answers += std::holds_alternative<request_answered>(*event) ? 1 : 0;
    }
    EXPECT_EQ(answers, limits::client_operations);
}

TEST(Request, CannotFillTheQueueByBeingCancelled) {
    session_script s;
    s.connects();
    std::size_t refused = 0;
    for (std::size_t i = 0; i < limits::client_operations + 10; ++i) {
        const auto asked = s.session.flush(s.now, 5s);
        if (asked) {
            s.session.cancel(*asked);
        } else {
            ++refused;
        }
    }
    EXPECT_GT(refused, 0u);
}

TEST(Request, EndsInTheOrderOfTheDeadlinesHoweverMany) {
    session_script s;
    s.connects();
    random_source random(7);
    std::vector<std::pair<nanoseconds, operation_id>> expected;
    for (int i = 0; i < 1000; ++i) {
        const nanoseconds timeout = std::chrono::milliseconds(1 + random.below(900));
        const auto id = s.session.request({.subject = "a"}, s.now, timeout).value();
        if (random.below(3) == 0) {
            s.session.cancel(id);
        } else {
            expected.emplace_back(timeout, id);
        }
    }
    s.drain();
    const auto begin = s.now;
    std::size_t answered = 0;
    for (; s.session.next_deadline() < begin + 1s;) {
        s.now = *s.session.next_deadline();
        s.session.expire(s.now);
        while (const auto event = s.session.next_event()) {
            const auto& end = std::get<request_answered>(*event);
            EXPECT_EQ(end.reply.error(), errc::timeout);
            const auto found = std::find_if(expected.begin(), expected.end(), [&](auto& item) {
                return item.second == end.operation;
            });
            ASSERT_NE(found, expected.end());
            EXPECT_EQ(begin + found->first, s.now);
            expected.erase(found);
            ++answered;
        }
    }
    EXPECT_TRUE(expected.empty());
    EXPECT_GT(answered, 500u);
}

// --- request_many (ADR-47) ---

TEST(RequestMany, EndsWithTheLastOfAGivenNumber) {
    session_script s;
    s.connects();
    const auto request = s.requests_many("all", {.timeout = 5s, .messages_max = 2});
    s.receives(s.reply(request, "one") + s.reply(request, "two") + s.reply(request, "three"));
    EXPECT_EQ(s.events(), "reply:1:one | reply:1:two | replies_ended:1:all");
}

TEST(RequestMany, EndsWithASentinelThatIsNotHandedOut) {
    session_script s;
    s.connects();
    const auto request = s.requests_many(
        "all", {.timeout = 5s, .is_last = [](const message& m) { return m.payload().empty(); }});
    s.receives(s.reply(request, "one") + s.reply(request, "") + s.reply(request, "three"));
    EXPECT_EQ(s.events(), "reply:1:one | replies_ended:1:sentinel");
}

TEST(RequestMany, EndsWhenNothingComesForAWhileAfterTheFirst) {
    session_script s;
    s.connects();
    const auto request = s.requests_many("all", {.timeout = 5s, .stall = 100ms});
    s.waits(3s); // The first may take its time.
    s.receives(s.reply(request, "one"));
    s.waits(99ms);
    s.receives(s.reply(request, "two"));
    s.waits(99ms);
    EXPECT_EQ(s.events(), "reply:1:one | reply:1:two");
    s.waits(1ms);
    EXPECT_EQ(s.events(), "replies_ended:1:stalled");
}

TEST(RequestMany, EndsAfterItsTimeHoweverManyCome) {
    session_script s;
    s.connects();
    const auto request = s.requests_many("all", {.timeout = 500ms, .stall = 400ms});
    s.waits(300ms);
    s.receives(s.reply(request, "one"));
    s.waits(200ms);
    EXPECT_EQ(s.events(), "reply:1:one | replies_ended:1:timed_out");
}

TEST(RequestMany, EndsWhenNobodyListensWithThatError) {
    session_script s;
    s.connects();
    s.receives(s.no_responders(s.requests_many("all", {.timeout = 5s})));
    EXPECT_EQ(s.events(), "replies_ended:1:no responders: to a request on \"all\"");
}

TEST(RequestMany, EndsWhenItIsCancelledOrTheConnectionIsLost) {
    session_script s;
    s.connects();
    s.session.cancel(s.requests_many("all", {.timeout = 5s}));
    s.requests_many("all", {.timeout = 5s});
    s.loses_transport();
    EXPECT_EQ(s.events(), "replies_ended:1:cancelled | disconnected | replies_ended:2:the "
                          "connection was lost: to a:4222, before the answer to a request on "
                          "\"all\" | open:a");
}

TEST(RequestMany, SurvivesASentinelThatThrows) {
    session_script s;
    s.connects();
    bool throws = true;
    const auto request =
        s.requests_many("all", {.timeout = 5s, .is_last = [&](const message&) -> bool {
                                    if (throws) throw std::runtime_error("on purpose");
                                    return false;
                                }});
    EXPECT_THROW(s.receives(s.reply(request, "one")), std::runtime_error);
    throws = false;
    s.receives(s.reply(request, "two"));
    EXPECT_EQ(s.events(), "reply:1:two");
}

} // namespace
} // namespace pipit::protocol
