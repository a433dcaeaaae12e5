// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_protocol.hpp>

#include <pipit/protocol/error.hpp>
#include <pipit/protocol/error_texts.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace pipit::protocol {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr auto greeting =
    "INFO {\"server_id\":\"N\",\"headers\":true,\"max_payload\":1000,\"nonce\":\"abc\"} \r\n";

client_options options_for(std::initializer_list<const char*> urls) {
    client_options options;
    for (const auto* url : urls) options.servers.push_back(*parse_server_url(url));
    options.pool.randomize = false;
    options.reconnect_jitter = 0ms;
    return options;
}

/// A driver without a network: what the server sends is handed over, what the client sends and
/// says is kept.
struct script {
    explicit script(client_options options) : client(std::move(options), random_source(1)) {
        client.start(now);
        drain();
    }

    /// Everything the client has asked for or told since the last call, one word each.
    std::string events() { return std::exchange(told, {}); }
    std::string sent() {
        const std::string out(client.pending_output());
        client.consume_output(out.size());
        return out;
    }
    void opens() {
        client.transport_opened(now);
        drain();
    }
    void receives(bytes_view bytes) {
        while (!bytes.empty()) {
            const auto space = client.prepare();
            const auto count = std::min(space.size(), bytes.size());
            std::memcpy(space.data(), bytes.data(), count);
            client.commit(count, now);
            bytes.remove_prefix(count);
            drain();
        }
    }
    void loses_transport() {
        client.transport_closed(now);
        drain();
    }
    void waits(nanoseconds time) {
        now += time;
        client.expire(now);
        drain();
    }
    /// Up to and with `connected`.
    void connects() {
        opens();
        receives(greeting);
        client.connect(who);
        receives("PONG\r\n");
    }
    void drain() {
        while (auto event = client.next_event()) std::visit([&](auto& e) { tell(e); }, *event);
    }

    client_protocol client;
    credentials who;
    bool connects_at_once = false;
    steady_time now{1h};
    std::string told;
    error last_error;

private:
    void say(const std::string& word) { told += told.empty() ? word : " " + word; }
    void tell(const open_requested& e) { say("open:" + e.server.host); }
    void tell(const tls_requested&) { say("tls"); }
    void tell(const connect_requested&) {
        say("connect");
        if (connects_at_once) client.connect(who);
    }
    void tell(const connected& e) { say(e.again ? "reconnected" : "connected"); }
    void tell(const message_received& e) {
        say("message:" + std::string(e.subject) + ":" + std::string(e.reply) + ":" +
            std::string(e.headers) + ":" + std::string(e.payload) + (e.last ? ":last" : ""));
    }
    void tell(const pong_received&) { say("pong"); }
    void tell(const error_received& e) { say("error:" + e.text); }
    void tell(const info_changed&) { say("info"); }
    void tell(const servers_discovered& e) {
        std::string all;
        for (const auto& server : e.servers) all += ":" + server;
        say("discovered" + all);
    }
    void tell(const lame_duck&) { say("lame_duck"); }
    void tell(const disconnected& e) {
        say("disconnected");
        last_error = e.why;
    }
    void tell(const closed& e) {
        say("closed");
        last_error = e.why;
    }
};

TEST(ClientProtocol, ConnectsWhenTheServerHasSaidWhoItIs) {
    script s(options_for({"tcp.example"}));
    EXPECT_EQ(s.events(), "open:tcp.example");
    s.opens();
    EXPECT_EQ(s.events(), "");
    s.receives(greeting);
    EXPECT_EQ(s.events(), "connect");
    EXPECT_EQ(s.client.info().nonce, "abc");
    s.client.connect({.user = "u", .pass = "p", .sig = "s"});
    EXPECT_EQ(s.sent(),
              "CONNECT {\"verbose\":false,\"pedantic\":false,\"user\":\"u\",\"pass\":\"p\","
              "\"sig\":\"s\",\"tls_required\":false,\"name\":\"\",\"lang\":\"c++\","
              "\"version\":\"\",\"protocol\":1,\"echo\":true,\"headers\":true,"
              "\"no_responders\":true}\r\nPING\r\n");
    s.receives("PONG\r\n");
    EXPECT_EQ(s.events(), "connected");
    EXPECT_TRUE(s.client.is_connected());
}

TEST(ClientProtocol, TakesUserOrTokenFromTheUrl) {
    script s(options_for({"nats://me:secret@a"}));
    s.opens();
    s.receives(greeting);
    s.client.connect({.user = "other"});
    EXPECT_NE(s.sent().find("\"user\":\"me\",\"pass\":\"secret\""), std::string::npos);
}

TEST(ClientProtocol, SaysTheSameWhereverTheServersBytesAreCut) {
    const auto wire = greeting + "PONG\r\nMSG a 1 2\r\nhi\r\nHMSG b 1 r 12 14\r\n"s +
                      "NATS/1.0\r\n\r\nyo\r\nPING\r\n+OK\r\nMSG a 9 0\r\n\r\n-ERR 'Invalid "
                      "Subject'\r\nINFO {\"server_id\":\"N\",\"ldm\":true} \r\nPONG\r\n";
    for (std::size_t cut = 1; cut < wire.size(); ++cut) {
        script s(options_for({"a"}));
        s.opens();
        s.connects_at_once = true;
        ASSERT_TRUE(s.client.subscribe(">"));
        s.receives(bytes_view(wire).substr(0, cut));
        s.receives(bytes_view(wire).substr(cut));
        EXPECT_EQ(s.events(),
                  "open:a connect connected message:a:::hi "
                  "message:b:r:NATS/1.0\r\n\r\n:yo error:Invalid Subject info lame_duck")
            << cut;
        EXPECT_TRUE(s.sent().ends_with("PONG\r\n"));
    }
}

TEST(ClientProtocol, PublishesWithAndWithoutHeadersAndReply) {
    script s(options_for({"a"}));
    s.connects();
    s.sent();
    EXPECT_TRUE(s.client.publish({.subject = "a", .payload = "hi"}));
    EXPECT_TRUE(s.client.publish(
        {.subject = "a", .reply = "r", .headers = "NATS/1.0\r\n\r\n", .payload = "hi"}));
    EXPECT_EQ(s.sent(), "PUB a 2\r\nhi\r\nHPUB a r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
}

TEST(ClientProtocol, RefusesPublicationsThatTheServerWouldRefuse) {
    script s(options_for({"a"}));
    s.connects();
    s.sent();
    for (const auto* subject : {"", "a b", "a..b", "a.*", ">"}) {
        EXPECT_EQ(s.client.publish({.subject = subject}).error(), errc::invalid_subject);
        EXPECT_EQ(s.client.publish({.subject = "a", .reply = subject}).has_error(), *subject != 0);
    }
    const std::string large(1001, 'x');
    const auto too_large = s.client.publish({.subject = "a", .payload = large});
    EXPECT_EQ(too_large.error(), errc::payload_too_large);
    EXPECT_EQ(too_large.error().detail(), "1001 bytes to 'a', and the server takes 1000");
    EXPECT_EQ(s.client.publish({.subject = "a b"}).error().detail(), "'a b'");
    s.sent();
    s.receives("INFO {\"server_id\":\"N\",\"max_payload\":-1} \r\n"); // No limit.
    EXPECT_TRUE(s.client.publish({.subject = "a", .payload = large}));
    s.sent();
    EXPECT_EQ(s.client.publish({.subject = "a", .headers = "NATS/1.0\r\n\r\n"}).error(),
              errc::headers_not_supported);
    EXPECT_EQ(s.sent(), "");
}

TEST(ClientProtocol, BoundsWhatWaitsToBeSent) {
    auto options = options_for({"a"});
    options.pending_output_bytes_max = 100;
    options.offline_bytes_max = 50;
    script s(options);
    EXPECT_TRUE(s.client.publish({.subject = "a", .payload = "0123456789"}));
    EXPECT_EQ(s.client.publish({.subject = "a", .payload = std::string(40, 'x')}).error(),
              errc::output_full);
    s.connects();
    EXPECT_TRUE(s.sent().ends_with("PING\r\nPUB a 10\r\n0123456789\r\n"));
    EXPECT_EQ(s.client.publish({.subject = "a", .payload = std::string(100, 'x')}).error(),
              errc::output_full);
    EXPECT_TRUE(s.client.publish({.subject = "a", .payload = std::string(80, 'x')}));
}

TEST(ClientProtocol, DeliversMessagesOfItsSubscriptionsUpToTheirLimit) {
    script s(options_for({"a"}));
    s.connects();
    s.sent();
    s.events();
    const auto first = s.client.subscribe("a.*");
    const auto second = s.client.subscribe("b", "workers");
    EXPECT_EQ(s.sent(), "SUB a.* 1\r\nSUB b workers 2\r\n");
    s.client.unsubscribe(*first, 2);
    EXPECT_EQ(s.sent(), "UNSUB 1 2\r\n");
    s.receives("MSG a.x 1 1\r\n1\r\nMSG a.x 1 1\r\n2\r\nMSG a.x 1 1\r\n3\r\nMSG b 2 0\r\n\r\n");
    EXPECT_EQ(s.events(), "message:a.x:::1 message:a.x:::2:last message:b:::");
    s.client.unsubscribe(*second);
    EXPECT_EQ(s.sent(), "UNSUB 2\r\n");
    s.receives("MSG b 2 0\r\n\r\nMSG b x 0\r\n\r\n");
    EXPECT_EQ(s.events(), "");
    EXPECT_EQ(s.client.subscribe("a b").error(), errc::invalid_subject);
    EXPECT_EQ(s.client.subscribe("a", "q r").error(), errc::invalid_subject);
    EXPECT_EQ(s.client.subscribe("a", "q r").error().detail(), "the queue 'q r'");
}

TEST(ClientProtocol, AnswersPingsAndTellsWhenItsOwnAreAnswered) {
    script s(options_for({"a"}));
    s.connects();
    s.events();
    s.sent();
    s.receives("PING\r\nPING\r\n");
    EXPECT_EQ(s.sent(), "PONG\r\nPONG\r\n");
    EXPECT_TRUE(s.client.ping());
    s.waits(120s); // A keep-alive behind it is no business of the user.
    EXPECT_EQ(s.sent(), "PING\r\nPING\r\n");
    s.receives("PONG\r\nPONG\r\nPONG\r\n");
    EXPECT_EQ(s.events(), "pong");
}

TEST(ClientProtocol, AnswersNoMorePingsThanFitWhatMayWaitToBeSent) {
    auto options = options_for({"a"});
    options.pending_output_bytes_max = 600;
    script s(options);
    s.connects();
    s.sent();
    std::string pings;
    for (int i = 0; i < 1000; ++i) pings += "PING\r\n";
    s.receives(pings);
    EXPECT_EQ(s.sent().size(), 600u);
}

TEST(ClientProtocol, LeavesAServerThatDoesNotAnswerPings) {
    script s(options_for({"a", "b"}));
    s.connects();
    s.events();
    s.waits(120s);
    s.receives("PONG\r\n");
    s.waits(120s);
    s.waits(120s);
    EXPECT_EQ(s.events(), "");
    s.waits(120s);
    EXPECT_EQ(s.events(), "disconnected open:b");
    EXPECT_EQ(s.last_error, errc::stale_connection);
}

TEST(ClientProtocol, BlamesNoServerThatNobodyReadsFrom) {
    script s(options_for({"a", "b"}));
    s.connects();
    s.events();
    for (int i = 0; i < 10; ++i) {
        s.client.excuse_silence();
        s.waits(120s);
    }
    EXPECT_EQ(s.events(), "");
    s.waits(120s);
    s.waits(120s);
    EXPECT_EQ(s.events(), "disconnected open:b");
}

TEST(ClientProtocol, SubscribesAgainWithWhatIsLeftOfEachLimit) {
    script s(options_for({"a"}));
    s.connects();
    const auto limited = s.client.subscribe("a");
    const auto queue = s.client.subscribe("b", "q");
    const auto gone = s.client.subscribe("c");
    s.client.unsubscribe(*limited, 5);
    s.client.unsubscribe(*gone);
    s.receives("MSG a 1 0\r\n\r\nMSG a 1 0\r\n\r\n");
    s.events();
    s.loses_transport();
    EXPECT_EQ(s.events(), "disconnected open:a");
    EXPECT_EQ(s.last_error, errc::transport_closed);
    EXPECT_TRUE(s.client.publish({.subject = "later"}));
    EXPECT_TRUE(s.client.subscribe("d"));
    EXPECT_EQ(s.sent(), "");
    s.connects();
    EXPECT_EQ(s.events(), "connect reconnected");
    EXPECT_TRUE(s.sent().ends_with("PING\r\nSUB a 1\r\nUNSUB 1 3\r\nSUB b q 2\r\nSUB d 4\r\n"
                                   "PUB later 0\r\n\r\n"));
    s.client.unsubscribe(*limited, 10); // Since the subscription began, for the caller.
    s.client.unsubscribe(*queue, 1);
    EXPECT_EQ(s.sent(), "UNSUB 1 8\r\nUNSUB 2 1\r\n");
}

TEST(ClientProtocol, TriesTheWholePoolAndThenWaitsLongerFromRoundToRound) {
    script s(options_for({"a", "b"}));
    s.connects();
    s.events();
    s.loses_transport();
    EXPECT_EQ(s.events(), "disconnected open:b"); // At once.
    s.loses_transport();
    EXPECT_EQ(s.events(), "disconnected open:a");
    auto expected = 100ms;
    for (int round = 0; round < 7; ++round) {
        s.loses_transport();
        EXPECT_EQ(s.events(), "disconnected");
        ASSERT_TRUE(s.client.next_deadline());
        EXPECT_EQ(*s.client.next_deadline() - s.now, std::min<nanoseconds>(expected, 2s));
        s.waits(expected);
        EXPECT_EQ(s.events(), "open:b");
        s.loses_transport();
        EXPECT_EQ(s.events(), "disconnected open:a");
        expected *= 2;
    }
    s.connects();
    EXPECT_EQ(s.events(), "connect reconnected");
}

TEST(ClientProtocol, AWaitThatIsLongerThanTheLongestIsStillWaited) {
    auto options = options_for({"a"});
    options.retry_first_connect = true;
    options.reconnect_wait = 10s;
    script s(options);
    for (int round = 0; round < 3; ++round) {
        s.loses_transport();
        EXPECT_EQ(s.client.next_deadline().value() - s.now, 10s);
        s.waits(10s);
    }
}

TEST(ClientProtocol, AVeryLongJitterIsStillOne) {
    auto options = options_for({"a"});
    options.retry_first_connect = true;
    options.reconnect_jitter = std::chrono::milliseconds((std::int64_t{1} << 32) - 1);
    script s(options);
    s.loses_transport();
    EXPECT_GT(s.client.next_deadline().value() - s.now, 24h);
}

TEST(ClientProtocol, EndsWhenNoServerLetsItInTheFirstTime) {
    script s(options_for({"a", "b"}));
    s.loses_transport();
    s.loses_transport();
    EXPECT_EQ(s.events(), "open:a disconnected open:b disconnected closed");
    EXPECT_EQ(s.last_error, errc::no_servers);
    EXPECT_EQ(s.client.publish({.subject = "a"}).error(), errc::closed);
    EXPECT_EQ(s.client.next_deadline(), std::nullopt);
}

TEST(ClientProtocol, GoesOnTryingTheFirstTimeWhenAskedTo) {
    auto options = options_for({"a"});
    options.retry_first_connect = true;
    script s(options);
    s.loses_transport();
    EXPECT_EQ(s.events(), "open:a disconnected");
    s.waits(100ms);
    s.connects();
    EXPECT_EQ(s.events(), "open:a connect connected");
}

TEST(ClientProtocol, LeavesAServerThatDoesNotFinishTheGreetingInTime) {
    script s(options_for({"a", "b"}));
    s.opens();
    s.receives("INFO {\"server_");
    s.waits(5s);
    EXPECT_EQ(s.events(), "open:a disconnected open:b");
    EXPECT_EQ(s.last_error, errc::timeout);
    s.connects(); // The half INFO is forgotten.
    EXPECT_EQ(s.events(), "connect connected");
}

TEST(ClientProtocol, RemovesAServerThatRefusesItTwiceForTheSameReason) {
    script s(options_for({"a", "b"}));
    const auto refuse = [&] {
        s.opens();
        s.receives(greeting);
        s.client.connect(s.who);
        s.receives("-ERR 'Authorization Violation'\r\n");
    };
    s.connects(); // To a.
    s.loses_transport();
    s.events();
    refuse(); // b
    EXPECT_EQ(s.events(), "connect error:Authorization Violation disconnected open:a");
    s.connects();
    s.now += 1min;
    s.loses_transport();
    s.events();
    refuse(); // b again
    EXPECT_EQ(s.client.pool().size(), 1u);
    EXPECT_EQ(s.events(), "connect error:Authorization Violation disconnected");
}

TEST(ClientProtocol, StaysConnectedAfterErrorsThatDoNotEndTheConnection) {
    script s(options_for({"a"}));
    s.connects();
    s.events();
    s.receives("-ERR 'Permissions Violation for Publish to \"a.b\"'\r\n"
               "-ERR 'maximum subscriptions exceeded'\r\n");
    EXPECT_EQ(s.events(), "error:Permissions Violation for Publish to \"a.b\" "
                          "error:maximum subscriptions exceeded");
    s.receives("-ERR 'Unknown Protocol Operation'\r\n");
    EXPECT_EQ(s.events(), "error:Unknown Protocol Operation disconnected open:a");
    EXPECT_EQ(s.last_error, errc::refused_by_peer);
}

TEST(ClientProtocol, SaysAgainWhoItIsWhileItIsConnected) {
    script s(options_for({"a"}));
    s.connects();
    s.sent();
    s.receives("INFO {\"server_id\":\"N\",\"headers\":true}\r\n");
    EXPECT_EQ(s.client.info().nonce, "abc"); // Said once for each connection.
    s.events();
    s.client.connect({.jwt = "newer"});
    const auto sent = s.sent();
    EXPECT_TRUE(sent.starts_with("CONNECT {")) << sent;
    EXPECT_NE(sent.find("\"jwt\":\"newer\""), std::string::npos);
    EXPECT_EQ(sent.find("PING"), std::string::npos);
    EXPECT_TRUE(s.client.is_connected());
    s.loses_transport();
    s.waits(1min);
    s.opens();
    s.receives("INFO {\"server_id\":\"N\"}\r\n");
    EXPECT_EQ(s.client.info().nonce, "");
}

TEST(ClientProtocol, NamesWhatAPermissionsViolationIsAbout) {
    const auto received = [](const std::string& text) {
        client_protocol client(options_for({"a"}), random_source(1));
        client.start({});
        client.transport_opened({});
        const auto wire = greeting + "-ERR '"s + text + "'\r\n";
        std::memcpy(client.prepare().data(), wire.data(), wire.size());
        client.commit(wire.size(), {});
        for (;;) {
            auto event = client.next_event();
            if (const auto* what = std::get_if<error_received>(&*event)) return *what;
        }
    };
    using about = error_received::about;
    const auto publish = received(error_texts::publish_violation("a.b"));
    EXPECT_EQ(publish.kind, about::publish);
    EXPECT_EQ(publish.subject, "a.b");
    EXPECT_EQ(received(error_texts::reply_violation("r")).subject, "r");
    const auto queue = received(error_texts::subscription_violation("a", "q"));
    EXPECT_EQ(queue.kind, about::subscription);
    EXPECT_EQ(queue.subject, "a");
    EXPECT_EQ(queue.queue, "q");
    EXPECT_EQ(received("User Authentication Expired").kind, about::authentication);
    EXPECT_EQ(as_error(publish), errc::permission_denied);
    EXPECT_EQ(as_error(queue), errc::permission_denied);
    EXPECT_EQ(as_error(received("User Authentication Expired")), errc::authorization_refused);
    EXPECT_EQ(as_error(received("maximum connections exceeded")), errc::refused_by_peer);
    EXPECT_EQ(as_error(received("Stale Connection")).detail(), "Stale Connection");
}

TEST(ClientProtocol, SaysWhenEveryServerRefusedTheLogin) {
    for (const bool all_refuse : {true, false}) {
        script s(options_for({"a", "b"}));
        s.opens();
        s.receives(greeting);
        s.client.connect(s.who);
        s.receives("-ERR 'Authorization Violation'\r\n");
        s.opens();
        if (all_refuse) {
            s.receives("-ERR 'User Authentication Expired'\r\n");
            EXPECT_EQ(s.last_error.message(),
                      "the login was refused: a:4222: Authorization Violation; b:4222: User "
                      "Authentication Expired");
        } else {
            s.loses_transport();
        }
        EXPECT_TRUE(s.client.is_closed());
        EXPECT_EQ(s.last_error, all_refuse ? errc::authorization_refused : errc::no_servers);
    }
}

TEST(ClientProtocol, BeginsTlsWhenTheServerOrTheUrlAsksForIt) {
    const auto secure_greeting = "INFO {\"server_id\":\"N\",\"tls_required\":true} \r\n";
    script s(options_for({"a"}));
    s.opens();
    s.receives(secure_greeting);
    EXPECT_EQ(s.events(), "open:a tls");
    s.client.tls_established(s.now);
    s.drain();
    EXPECT_EQ(s.events(), "connect");
    s.client.connect(s.who);
    EXPECT_NE(s.sent().find("\"tls_required\":true"), std::string::npos);

    script wanted(options_for({"tls://a"}));
    wanted.opens();
    wanted.receives(greeting);
    EXPECT_EQ(wanted.events(), "open:a disconnected closed");

    script first(options_for({"tls://a"})); // The handshake comes before INFO.
    first.opens();
    first.client.tls_established(first.now);
    first.receives(secure_greeting);
    EXPECT_EQ(first.events(), "open:a connect");
}

TEST(ClientProtocol, BeginsNoTlsInsideAWebSocket) {
    const auto secure_greeting = "INFO {\"server_id\":\"N\",\"tls_required\":true} \r\n";
    script secured(options_for({"wss://a"}));
    secured.opens();
    secured.client.tls_established(secured.now);
    secured.receives(secure_greeting);
    EXPECT_EQ(secured.events(), "open:a connect");
    secured.client.connect(secured.who);
    EXPECT_NE(secured.sent().find("\"tls_required\":true"), std::string::npos);

    script plain(options_for({"ws://a"})); // A proxy may have ended the server's TLS.
    plain.opens();
    plain.receives(secure_greeting);
    EXPECT_EQ(plain.events(), "open:a connect");

    script unsecured(options_for({"wss://a"}));
    unsecured.opens();
    unsecured.receives(secure_greeting);
    EXPECT_EQ(unsecured.events(), "open:a disconnected closed");

    auto insists = options_for({"ws://a"});
    insists.tls_required = true;
    script refused(insists);
    refused.opens();
    refused.receives(secure_greeting);
    EXPECT_EQ(refused.events(), "open:a disconnected closed");
}

TEST(ClientProtocol, TrustsNothingThatCameBeforeTls) {
    script s(options_for({"a"}));
    s.opens();
    s.receives("INFO {\"server_id\":\"N\",\"tls_required\":true} \r\nINFO {} \r\n");
    s.client.tls_established(s.now);
    s.drain();
    EXPECT_EQ(s.events(), "open:a tls disconnected closed");
}

TEST(ClientProtocol, LearnsServersAndMovesAwayFromALameDuck) {
    script s(options_for({"a"}));
    s.connects();
    s.events();
    s.receives("INFO {\"server_id\":\"N\",\"connect_urls\":[\"b:4222\"],\"ldm\":true} \r\n");
    EXPECT_EQ(s.events(), "discovered:b:4222 info lame_duck");
    s.client.reconnect(s.now);
    s.drain();
    EXPECT_EQ(s.events(), "disconnected open:b");
}

TEST(ClientProtocol, LeavesAServerOnDemandBeforeItIsConnectedWithoutCountingThat) {
    auto options = options_for({"a"});
    options.pool.attempts_max = 1;
    script s(options);
    s.events();
    const auto leave = [&] {
        s.client.reconnect(s.now);
        s.drain();
        EXPECT_EQ(s.sent(), "");
        EXPECT_EQ(s.events(), "disconnected open:a");
        EXPECT_EQ(s.last_error, errc::left_server);
    };
    leave();
    s.opens();
    leave();
    s.opens();
    s.receives(greeting);
    s.client.connect(s.who);
    EXPECT_EQ(s.events(), "connect");
    leave();
    s.connects();
    EXPECT_EQ(s.events(), "connect connected");
}

TEST(ClientProtocol, LeavesAServerThatSaysNonsense) {
    for (const auto* wire : {"HTTP/1.1 400\r\n", "PONG X\r\nNONSENSE", "INFO {\r\n",
                             "MSG a 1 2\r\nxyz", "MSG a\r\n"}) {
        script s(options_for({"a"}));
        s.connects();
        s.events();
        s.receives(wire);
        EXPECT_EQ(s.events(), "disconnected open:a") << wire;
    }
    script early(options_for({"a", "b"}));
    early.opens();
    early.receives("MSG a 1 0\r\n\r\n");
    EXPECT_EQ(early.events(), "open:a disconnected open:b");
}

TEST(ClientProtocol, SaysNothingAfterItWasClosed) {
    script s(options_for({"a"}));
    s.connects();
    s.events();
    s.client.close();
    s.drain();
    EXPECT_EQ(s.events(), "closed");
    s.loses_transport();
    s.waits(1h);
    EXPECT_EQ(s.events(), "");
    EXPECT_EQ(s.client.subscribe("a").error(), errc::closed);
}

TEST(ClientProtocol, EndsWithTheConnectionWhenItMayNotReconnect) {
    auto options = options_for({"a"});
    options.reconnect = false;
    script s(options);
    s.connects();
    s.events();
    s.loses_transport();
    EXPECT_EQ(s.events(), "disconnected closed");
    EXPECT_EQ(s.last_error, errc::transport_closed);
}

TEST(ClientProtocol, ReadsALargePayloadIntoItsPlace) {
    script s(options_for({"a"}));
    s.connects();
    s.events();
    ASSERT_TRUE(s.client.subscribe("a"));
    const std::string payload(300'000, 'x');
    s.receives("MSG a 1 300000\r\n" + payload + "\r\n");
    EXPECT_EQ(s.events(), "message:a:::" + payload);
}

} // namespace
} // namespace pipit::protocol
