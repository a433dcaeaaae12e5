// SPDX-License-Identifier: Apache-2.0
// The two sides of the protocol talk with each other in memory.
#include <pipit/protocol/client_protocol.hpp>
#include <pipit/protocol/client_session.hpp>
#include <pipit/protocol/headers.hpp>
#include <pipit/protocol/nuid.hpp>
#include <pipit/protocol/server_protocol.hpp>
#include <pipit/protocol/subject.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace pipit::protocol {
namespace {

using namespace std::chrono_literals;

/// Hands over at most `step` bytes of what one side has to send.
template <class From, class To>
bool carry(From& from, To& to, std::size_t step, steady_time now) {
    const auto pending = from.pending_output();
    if (pending.empty()) return false;
    const auto space = to.prepare();
    const auto count = std::min({pending.size(), space.size(), step});
    std::memcpy(space.data(), pending.data(), count);
    to.commit(count, now);
    from.consume_output(count);
    return true;
}

/// A server for one client that delivers to it what it publishes.
struct echo_server {
    struct subscription {
        std::string subject, sid;
    };

    explicit echo_server(steady_time now) : protocol(options(), now) {}

    static server_options options() {
        server_options out;
        out.info.server_id = "N";
        out.info.headers = true;
        out.info.max_payload = 1'000'000;
        out.info.auth_required = true;
        return out;
    }
    void drain() {
        while (auto event = protocol.next_event()) std::visit([&](auto& e) { handle(e); }, *event);
    }
    void handle(const connect_received& e) {
        if (e.options.user == "me") {
            protocol.accept();
        } else {
            protocol.refuse();
        }
    }
    void handle(const publication_received& e) {
        bool delivered = false;
        for (const auto& [subject, sid] : subscriptions) {
            if (!subject_matches(subject, e.message.subject)) continue;
            delivered = true;
            EXPECT_TRUE(protocol.deliver({.subject = e.message.subject,
                                          .sid = sid,
                                          .reply = e.message.reply,
                                          .headers = e.message.headers,
                                          .payload = e.message.payload}));
        }
        if (!delivered && !e.message.reply.empty()) tell_no_responders(e.message);
    }
    void tell_no_responders(const publication& request) {
        headers status;
        ASSERT_TRUE(status.set_status(503));
        std::string block;
        status.append_to(block);
        for (const auto& [subject, sid] : subscriptions) {
            if (!subject_matches(subject, request.reply)) continue;
            EXPECT_TRUE(protocol.deliver({.subject = request.reply, .sid = sid, .headers = block}));
        }
    }
    void handle(const subscription_received& e) {
        subscriptions.push_back({std::string(e.subject), std::string(e.sid)});
    }
    void handle(const unsubscription_received& e) {
        std::erase_if(subscriptions, [&](const auto& one) { return one.sid == e.sid; });
    }
    void handle(const session_closed&) {}

    server_protocol protocol;
    std::vector<subscription> subscriptions;
};

struct user {
    explicit user(const char* user_name)
        : client(client_options{.servers = {{.host = "memory"}}}, random_source(1)),
          name(user_name) {}

    void drain(steady_time now) {
        while (auto event = client.next_event()) {
            if (std::holds_alternative<open_requested>(*event)) client.transport_opened(now);
            if (std::holds_alternative<connect_requested>(*event)) client.connect({.user = name});
            if (const auto* message = std::get_if<message_received>(&*event)) {
                const auto status =
                    message->headers.empty() ? 0 : headers::parse(message->headers)->status();
                heard.push_back(std::string(message->subject) + " " + std::string(message->reply) +
                                " " + std::to_string(status) + " " + std::string(message->payload));
            }
            if (const auto* refused = std::get_if<error_received>(&*event)) {
                heard.push_back(refused->text);
            }
            pongs += std::holds_alternative<pong_received>(*event) ? 1 : 0;
        }
    }

    client_protocol client;
    std::string name;
    std::vector<std::string> heard;
    int pongs = 0;
};

/// Until nobody has anything to say; in pieces of `step` bytes.
template <class User>
void talk(User& someone, echo_server& server, std::size_t step, steady_time now) {
    bool busy = true;
    while (busy) {
        someone.drain(now);
        server.drain();
        const bool to_server = carry(someone.client, server.protocol, step, now);
        server.drain();
        const bool to_client = carry(server.protocol, someone.client, step, now);
        busy = to_server || to_client;
    }
}

TEST(Conversation, IsTheSameHoweverManyBytesArriveAtOnce) {
    const steady_time now{1h};
    const std::string large(100'000, 'x');
    headers with_name;
    ASSERT_TRUE(with_name.set("Name", "value"));
    std::string block;
    with_name.append_to(block);

    for (const std::size_t step : {1u, 2u, 3u, 7u, 64u, 1000u, 100'000u}) {
        user someone("me");
        echo_server server(now);
        someone.client.start(now);
        talk(someone, server, step, now);
        ASSERT_TRUE(someone.client.is_connected()) << step;

        const auto all = someone.client.subscribe("orders.*");
        ASSERT_TRUE(someone.client.subscribe("inbox.>"));
        ASSERT_TRUE(someone.client.publish({.subject = "orders.new", .payload = "one"}));
        ASSERT_TRUE(someone.client.publish(
            {.subject = "orders.new", .reply = "inbox.1", .headers = block, .payload = "two"}));
        ASSERT_TRUE(someone.client.publish({.subject = "orders.large", .payload = large}));
        ASSERT_TRUE(someone.client.publish({.subject = "nobody", .reply = "inbox.2"}));
        someone.client.unsubscribe(*all);
        ASSERT_TRUE(someone.client.publish({.subject = "orders.new", .payload = "unheard"}));
        ASSERT_TRUE(someone.client.ping());
        talk(someone, server, step, now);
        // What was delivered before the server saw UNSUB found no subscription any more.
        EXPECT_EQ(someone.heard, std::vector<std::string>{"inbox.2  503 "}) << step;
        EXPECT_EQ(someone.pongs, 1);

        ASSERT_TRUE(someone.client.subscribe("orders.*"));
        ASSERT_TRUE(someone.client.publish(
            {.subject = "orders.new", .reply = "inbox.1", .headers = block, .payload = "two"}));
        ASSERT_TRUE(someone.client.publish({.subject = "orders.large", .payload = large}));
        talk(someone, server, step, now);
        EXPECT_EQ(someone.heard,
                  (std::vector<std::string>{"inbox.2  503 ", "orders.new inbox.1 0 two",
                                            "orders.large  0 " + large}));
    }
}

TEST(Conversation, EndsWhenTheServerRefusesTheUser) {
    const steady_time now{1h};
    for (const std::size_t step : {1u, 1000u}) {
        user stranger("stranger");
        echo_server server(now);
        stranger.client.start(now);
        talk(stranger, server, step, now);
        EXPECT_EQ(stranger.heard, std::vector<std::string>{"Authorization Violation"});
        EXPECT_TRUE(stranger.client.is_closed());
        EXPECT_TRUE(server.protocol.is_closed());
    }
}

TEST(Conversation, GoesOnWithAnotherServerWhereTheFirstLeftOff) {
    const steady_time now{1h};
    user someone("me");
    echo_server first(now), second(now);
    someone.client.start(now);
    talk(someone, first, 1000, now);
    ASSERT_TRUE(someone.client.subscribe("a"));
    talk(someone, first, 1000, now);
    first.protocol.transport_closed();
    someone.client.transport_closed(now);
    ASSERT_TRUE(someone.client.publish({.subject = "a", .payload = "meanwhile"}));
    talk(someone, second, 5, now);
    EXPECT_EQ(someone.heard, std::vector<std::string>{"a  0 meanwhile"});
}

TEST(Conversation, KeepsBothSidesAliveByPings) {
    steady_time now{1h};
    user someone("me");
    echo_server server(now);
    someone.client.start(now);
    talk(someone, server, 1000, now);
    for (int minute = 0; minute < 60; ++minute) {
        now += 1min;
        someone.client.expire(now);
        server.protocol.expire(now);
        talk(someone, server, 1000, now);
    }
    EXPECT_TRUE(someone.client.is_connected());
    EXPECT_FALSE(server.protocol.is_closed());
}

/// The same user, one step higher: answers its own requests.
struct session_user {
    explicit session_user(steady_time at) : now(at) { session.start(now); }

    void drain(steady_time) {
        while (auto event = session.next_event()) std::visit([&](auto& e) { take(e); }, *event);
    }
    void take(const open_requested&) { session.transport_opened(now); }
    void take(const connect_requested&) { session.connect({.user = "me"}); }
    void take(const subscription_message& e) {
        const auto request = session.keep(e.message);
        EXPECT_TRUE(session.publish({.subject = request.reply(), .payload = request.payload()}));
    }
    void take(const request_answered& e) {
        heard.push_back(e.reply ? std::string(e.reply->payload()) : e.reply.error().message());
    }
    void take(const closed& e) { heard.push_back("closed " + e.why.message()); }
    template <class Other>
    void take(const Other&) {}

    steady_time now;
    client_session session{{.protocol = {.servers = {{.host = "memory"}}}}, random_source(1)};
    client_session& client = session;
    std::vector<std::string> heard;
};

TEST(Conversation, ASessionsRequestsAreAnsweredHoweverManyBytesArriveAtOnce) {
    const steady_time now{1h};
    for (const std::size_t step : {1u, 7u, 1000u, 1'000'000u}) {
        session_user someone(now);
        echo_server server(now);
        ASSERT_TRUE(someone.session.subscribe("echo.*"));
        const std::string large(100'000, 'x');
        ASSERT_TRUE(someone.session.request({.subject = "echo.a", .payload = "small"}, now, 1s));
        ASSERT_TRUE(someone.session.request({.subject = "echo.b", .payload = large}, now, 1s));
        ASSERT_TRUE(someone.session.request({.subject = "nobody"}, now, 1s));
        talk(someone, server, step, now);
        EXPECT_EQ(someone.heard.size(), 3u) << step;
        someone.session.drain_all(now, 1s);
        talk(someone, server, step, now);
        std::sort(someone.heard.begin(), someone.heard.end());
        EXPECT_EQ(someone.heard, (std::vector<std::string>{
                                     "closed " + error().message(),
                                     "no responders: to a request on \"nobody\"", "small", large}))
            << step;
        EXPECT_TRUE(server.subscriptions.size() <= 1);
    }
}

} // namespace
} // namespace pipit::protocol
