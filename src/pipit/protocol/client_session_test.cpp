// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_session.hpp>

#include <pipit/protocol/detail/session_script.hpp>
#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

namespace pipit::protocol {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using detail::session_script;

TEST(ClientSession, ShowsMessagesOfASubscriptionAndKeepsThem) {
    session_script s;
    s.connects();
    const auto orders = s.session.subscribe("orders.*", "q").value();
    EXPECT_EQ(s.sent(), "SUB orders.* q 1\r\n");
    const auto wire = "MSG orders.new 1 reply 5\r\nhello\r\n"s;
    const auto space = s.session.prepare();
    std::memcpy(space.data(), wire.data(), wire.size());
    s.session.commit(wire.size(), s.now);
    const auto event = s.session.next_event().value();
    const auto& received = std::get<subscription_message>(event);
    EXPECT_EQ(received.subscription, orders);
    const auto kept = s.session.keep(received.message);
    (void)s.session.prepare(); // Ends the life of the views.
    EXPECT_EQ(kept.subject(), "orders.new");
    EXPECT_EQ(kept.reply(), "reply");
    EXPECT_EQ(kept.payload(), "hello");
}

TEST(ClientSession, SharesTheBlockOfAMessageThatCameInPieces) {
    session_script s;
    s.connects();
    (void)s.session.subscribe("a");
    const std::string payload(100'000, 'x');
    const auto wire = "HMSG a 1 12 100012\r\nNATS/1.0\r\n\r\n" + payload + "\r\n";
    bytes_view rest = wire;
    std::optional<message> kept;
    while (!rest.empty()) {
        const auto space = s.session.prepare();
        const auto count = std::min({space.size(), rest.size(), std::size_t{1000}});
        std::memcpy(space.data(), rest.data(), count);
        s.session.commit(count, s.now);
        rest.remove_prefix(count);
        while (const auto event = s.session.next_event()) {
            const auto& received = std::get<subscription_message>(*event).message;
            kept = s.session.keep(received);
            EXPECT_EQ(kept->payload().data(), received.payload.data());
        }
    }
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->payload(), payload);
    EXPECT_TRUE(kept->has_headers());
}

TEST(ClientSession, TellsWhenASubscriptionReachesItsLimit) {
    session_script s;
    s.connects();
    const auto a = s.session.subscribe("a").value();
    s.session.unsubscribe(a, 2);
    s.receives("MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\nMSG a 1 1\r\nz\r\n");
    EXPECT_EQ(s.events(), "message:1:x | message:1:y | ended:1");
}

TEST(ClientSession, CountsALimitOverReconnects) {
    session_script s;
    s.connects();
    const auto a = s.session.subscribe("a").value();
    s.session.unsubscribe(a, 3);
    s.receives("MSG a 1 1\r\nx\r\n");
    s.loses_transport();
    (void)s.sent();
    s.opens();
    s.receives("INFO {\"server_id\":\"N\"} \r\n");
    s.session.connect({});
    (void)s.sent();
    s.receives("PONG\r\n");
    EXPECT_EQ(s.sent(), "SUB a 1\r\nUNSUB 1 2\r\n");
    s.events();
    s.receives("MSG a 1 1\r\ny\r\nMSG a 1 1\r\nz\r\n");
    EXPECT_EQ(s.events(), "message:1:y | message:1:z | ended:1");
}

TEST(ClientSession, TellsALimitThatIsBelowWhatHasComeAtOnce) {
    session_script s;
    s.connects();
    const auto a = s.session.subscribe("a").value();
    s.receives("MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\n");
    s.events();
    s.session.unsubscribe(a, 1);
    s.drain();
    EXPECT_EQ(s.events(), "ended:1");
    EXPECT_EQ(s.sent(), "SUB a 1\r\nUNSUB 1\r\n");
}

TEST(ClientSession, EndsARefusedSubscriptionAndNoOther) {
    session_script s;
    s.connects();
    (void)s.session.subscribe("secret");
    (void)s.session.subscribe("secret", "q");
    (void)s.session.subscribe("open");
    s.receives("-ERR 'Permissions Violation for Subscription to \"secret\" using queue \"q\"'\r\n");
    EXPECT_EQ(s.events(),
              "error:Permissions Violation for Subscription to \"secret\" using queue \"q\" | "
              "ended:2:not permitted: Permissions Violation for Subscription to \"secret\" "
              "using queue \"q\" (a:4222)");
    s.receives("MSG secret 2 0\r\n\r\nMSG secret 1 1\r\nx\r\n");
    EXPECT_EQ(s.events(), "message:1:x");
    s.loses_transport();
    s.connects();
    EXPECT_EQ(s.sent(), "SUB secret 1\r\nSUB open 3\r\n");
}

TEST(ClientSession, EndsTheSubscriptionWhoseNumberTheServerSays) {
    session_script s;
    s.connects();
    (void)s.session.subscribe("a");
    (void)s.session.subscribe("a");
    s.receives("-ERR 'Permissions Violation for Subscription to \"a\" (sid \"2\")'\r\n");
    EXPECT_NE(s.events().find("ended:2:"), std::string::npos);
    s.receives("-ERR 'Permissions Violation for Subscription to \"a\" (sid \"9\")'\r\n");
    EXPECT_EQ(s.events().find("ended"), std::string::npos);
}

TEST(ClientSession, FlushesInTheOrderOfThePongs) {
    session_script s;
    s.connects();
    s.flushes();
    s.flushes();
    EXPECT_EQ(s.sent(), "PING\r\nPING\r\n");
    s.now += 3ms;
    s.receives("PONG\r\n");
    s.now += 1ms;
    s.receives("PONG\r\nPONG\r\n");
    EXPECT_EQ(s.events(), "flushed:1:3ms | flushed:2:4ms");
}

TEST(ClientSession, NamesAFlushThatIsNotAnsweredInTime) {
    session_script s;
    s.connects();
    s.flushes(2s);
    s.flushes(5s);
    s.waits(2s);
    EXPECT_EQ(s.events(), "flushed:1:timed out: no answer to a flush within 2 s from a:4222");
    s.receives("PONG\r\n"); // Of the first one.
    EXPECT_EQ(s.events(), "");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "flushed:2:2000ms");
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

TEST(ClientSession, AnswersEverythingBeforeItIsClosed) {
    session_script s;
    s.connects();
    (void)s.session.subscribe("a");
    s.requests("greet");
    s.requests_many("all", {.timeout = 5s});
    s.flushes();
    s.session.close();
    s.drain();
    EXPECT_EQ(s.events(), "answered:1:the connection is closed | "
                          "replies_ended:2:the connection is closed | "
                          "flushed:3:the connection is closed | ended:1 | closed");
    EXPECT_EQ(s.session.request({.subject = "a"}, s.now, 1s).error(), errc::closed);
    EXPECT_EQ(s.session.flush(s.now, 1s).error(), errc::closed);
    EXPECT_EQ(s.session.next_deadline(), std::nullopt);
}

TEST(ClientSession, NamesEveryServerThatCouldNotBeConnectedTo) {
    session_script s({.protocol = {.servers = {{.host = "a"}, {.host = "b", .port = 4333}}}});
    s.requests("greet", 30s);
    s.session.transport_closed(s.now, error(errc::transport_closed, "connection refused"));
    s.drain();
    s.waits(5s);
    EXPECT_EQ(s.events(),
              "open:a | disconnected | open:b | disconnected | "
              "answered:1:the connection is closed: no server is available: a:4222: the transport "
              "was closed: connection refused; b:4333: timed out: no connection within 5 s | "
              "closed:no server is available: a:4222: the transport was closed: connection "
              "refused; b:4333: timed out: no connection within 5 s");
}

TEST(ClientSession, NamesAServerOnce) {
    session_script s({.protocol = {.servers = {{.host = "a"}}}});
    s.session.transport_closed(s.now, error(errc::transport_closed, "a:4222"));
    s.drain();
    EXPECT_EQ(s.events(), "open:a | disconnected | closed:no server is available: a:4222: the "
                          "transport was closed");
}

TEST(ClientSession, CountsWhatItSendsAndReceives) {
    session_script s;
    s.connects();
    const auto before = s.session.statistics();
    EXPECT_EQ(before.connects, 1u);
    (void)s.session.subscribe("a");
    ASSERT_TRUE(s.session.publish({.subject = "a", .payload = "x"}));
    std::string taken;
    s.session.take_output(taken);
    EXPECT_EQ(taken, "SUB a 1\r\nPUB a 1\r\nx\r\n");
    EXPECT_EQ(s.session.pending_output(), "");
    s.receives("MSG a 1 1\r\nx\r\n");
    const auto& after = s.session.statistics();
    EXPECT_EQ(after.sent_messages - before.sent_messages, 1u);
    EXPECT_EQ(after.sent_bytes - before.sent_bytes, taken.size());
    EXPECT_EQ(after.received_messages - before.received_messages, 1u);
    EXPECT_EQ(after.received_bytes - before.received_bytes, 14u);
}

/// The bytes of a server that answers all that `everything_asked` asks.
std::string all_answers(session_script& s) {
    return "MSG a 1 1\r\nx\r\n" + s.reply(s.operations[0], "one") + s.reply(s.operations[1], "1") +
           s.reply(s.operations[1], "2") + "PONG\r\nPONG\r\n";
}

TEST(ClientSession, AnswersEverythingOnceWhereverTheConnectionBreaks) {
    const auto run = [](std::size_t cut, bool reconnects) {
        session_script s({.protocol = {.reconnect = reconnects}});
        s.connects();
        const auto a = s.session.subscribe("a").value();
        s.requests("one");
        s.requests_many("two", {.timeout = 5s, .messages_max = 2});
        s.flushes();
        s.session.drain(a, s.now, 5s);
        const auto wire = all_answers(s);
        s.receives(bytes_view(wire).substr(0, cut));
        s.loses_transport();
        s.waits(10s);
        if (!s.session.is_closed()) s.session.close();
        s.drain();
        const auto told = s.events();
        for (const auto* answer : {"answered:1", "replies_ended:2", "flushed:3", "ended:1"}) {
            // Once at the begin of a word, and never again.
            const auto padded = " | " + told;
            const auto word = " | "s + answer;
            const auto at = padded.find(word);
            EXPECT_NE(at, std::string::npos) << answer << " with " << cut << ": " << told;
            EXPECT_EQ(padded.find(word, at + 1), std::string::npos) << answer << ": " << told;
        }
        EXPECT_NE(told.find("closed"), std::string::npos);
        return wire.size();
    };
    const auto size = run(0, true);
    for (std::size_t cut = 1; cut <= size; ++cut) {
        run(cut, true);
        run(cut, false);
    }
}

} // namespace
} // namespace pipit::protocol
