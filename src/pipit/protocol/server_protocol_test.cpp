// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/server_protocol.hpp>

#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace pipit::protocol {
namespace {

using namespace std::chrono_literals;

constexpr bytes_view quiet = "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,"
                             "\"no_responders\":true,\"protocol\":1}\r\n";

server_options options() {
    server_options out;
    out.info.server_id = "N";
    out.info.headers = true;
    out.info.max_payload = 1000;
    return out;
}
server_options options_with_auth() {
    auto out = options();
    out.info.auth_required = true;
    return out;
}

/// What a client sends is handed over, what the server sends and says is kept.
struct script {
    explicit script(server_options given = options()) : server(std::move(given), now) { sent(); }

    std::string events() { return std::exchange(told, {}); }
    std::string sent() {
        const std::string out(server.pending_output());
        server.consume_output(out.size());
        return out;
    }
    /// Returns what the server answers.
    std::string receives(bytes_view bytes) {
        while (!bytes.empty()) {
            const auto space = server.prepare();
            const auto count = std::min(space.size(), bytes.size());
            std::memcpy(space.data(), bytes.data(), count);
            server.commit(count, now);
            bytes.remove_prefix(count);
            drain();
        }
        return sent();
    }
    std::string waits(nanoseconds time) {
        now += time;
        server.expire(now);
        drain();
        return sent();
    }
    void drain() {
        while (auto event = server.next_event()) std::visit([&](auto& e) { tell(e); }, *event);
    }

    steady_time now{1h};
    std::string told;
    server_protocol server;

private:
    void say(const std::string& word) { told += told.empty() ? word : " " + word; }
    void tell(const connect_received& e) { say("connect:" + e.options.user); }
    void tell(const publication_received& e) {
        say("publication:" + std::string(e.message.subject) + ":" + std::string(e.message.reply) +
            ":" + std::string(e.message.headers) + ":" + std::string(e.message.payload));
    }
    void tell(const subscription_received& e) {
        say("subscription:" + std::string(e.subject) + ":" + std::string(e.queue) + ":" +
            std::string(e.sid));
    }
    void tell(const unsubscription_received& e) {
        say("unsubscription:" + std::string(e.sid) + ":" + std::to_string(e.max));
    }
    void tell(const session_closed& e) { say("closed:" + std::string(text(e.reason))); }
};

TEST(ServerProtocol, GreetsWithInfo) {
    const server_protocol server(options(), {});
    EXPECT_TRUE(server.pending_output().starts_with("INFO {\"server_id\":\"N\""));
}

TEST(ServerProtocol, TellsWhatTheClientAsksFor) {
    script s;
    EXPECT_EQ(s.receives(quiet), "");
    EXPECT_EQ(s.receives("SUB a.> q 1\r\nPUB a.b r 2\r\nhi\r\nHPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n"
                         "UNSUB 1 5\r\nUNSUB 1 -3\r\nUNSUB 1\r\nPONG\r\n+OK\r\nINFO {}\r\n"),
              "");
    EXPECT_EQ(s.events(), "connect: subscription:a.>:q:1 publication:a.b:r::hi "
                          "publication:a::NATS/1.0\r\n\r\n: unsubscription:1:5 "
                          "unsubscription:1:0 unsubscription:1:0");
}

TEST(ServerProtocol, TellsTheSameWhereverTheClientsBytesAreCut) {
    const auto wire = std::string(quiet) + "SUB a.> workers 1\r\nPUB a.b reply 2\r\nhi\r\n"
                                           "UNSUB 1 5\r\nPING\r\n";
    for (std::size_t cut = 1; cut < wire.size(); ++cut) {
        script s;
        auto answer = s.receives(bytes_view(wire).substr(0, cut));
        answer += s.receives(bytes_view(wire).substr(cut));
        EXPECT_EQ(s.events(), "connect: subscription:a.>:workers:1 publication:a.b:reply::hi "
                              "unsubscription:1:5")
            << cut;
        EXPECT_TRUE(answer.starts_with("PONG\r\n"));
    }
}

TEST(ServerProtocol, AssumesAVerboseAndPedanticClientUntilItSaysOtherwise) {
    script s;
    EXPECT_EQ(s.receives("SUB a 1\r\nPUB a.* 2\r\nhi\r\nUNSUB 1\r\nPING\r\n"),
              "+OK\r\n-ERR 'Invalid Publish Subject'\r\n+OK\r\n+OK\r\nPONG\r\n");
    EXPECT_EQ(s.receives("CONNECT {\"pedantic\":false}\r\nPUB a.* 2\r\nhi\r\n"), "+OK\r\n+OK\r\n");
}

TEST(ServerProtocol, RefusesInvalidSubjectsAndStaysOpen) {
    script s;
    s.receives(quiet);
    EXPECT_EQ(s.receives("SUB a..b 1\r\nPING\r\n").substr(0, 30),
              "-ERR 'Invalid Subject'\r\nPONG\r\n");
    EXPECT_EQ(s.events(), "connect:");
}

TEST(ServerProtocol, SendsItsInfoAgainAfterTheFirstPing) {
    script s;
    s.receives(quiet);
    EXPECT_EQ(s.receives("PING\r\n"),
              "PONG\r\nINFO {\"server_id\":\"N\",\"server_name\":\"\",\"version\":\"\",\"proto\":1,"
              "\"go\":\"\",\"host\":\"\",\"port\":0,\"headers\":true,\"max_payload\":1000,"
              "\"connect_info\":true} \r\n");
    EXPECT_EQ(s.receives("PING\r\n"), "PONG\r\n");
    auto info = options().info;
    info.ldm = true;
    s.server.update_info(info);
    EXPECT_NE(s.sent().find("\"ldm\":true"), std::string::npos);
}

TEST(ServerProtocol, TellsALaterInfoOnlyToThoseWhoAskedForIt) {
    script s;
    s.receives("CONNECT {\"verbose\":false}\r\n");
    EXPECT_EQ(s.receives("PING\r\n"), "PONG\r\n");
    s.server.update_info(options().info);
    EXPECT_EQ(s.sent(), "");
}

TEST(ServerProtocol, ReadsNothingBehindConnectBeforeItIsAnswered) {
    script s(options_with_auth());
    s.receives("CONNECT {\"user\":\"u\"}\r\nPING\r\n");
    EXPECT_EQ(s.events(), "connect:u");
    s.server.accept();
    s.drain();
    EXPECT_EQ(s.sent(), "+OK\r\nPONG\r\n");

    script refused(options_with_auth());
    refused.receives("CONNECT {\"user\":\"u\"}\r\nPING\r\n");
    refused.server.refuse();
    refused.drain();
    EXPECT_EQ(refused.sent(), "-ERR 'Authorization Violation'\r\n");
    EXPECT_EQ(refused.events(), "connect:u closed:Authentication Failure");
}

TEST(ServerProtocol, WantsConnectFirstAndInTimeWhenAuthenticationIsRequired) {
    script other(options_with_auth());
    EXPECT_EQ(other.receives("P"), "-ERR 'Authorization Violation'\r\n");
    EXPECT_EQ(other.events(), "closed:Authentication Failure");
    script silent(options_with_auth());
    EXPECT_EQ(silent.waits(1999ms), "");
    EXPECT_EQ(silent.waits(1ms), "-ERR 'Authentication Timeout'\r\n");
    EXPECT_EQ(silent.events(), "closed:Authentication Timeout");
}

TEST(ServerProtocol, EndsTheSessionForEveryFatalErrorWithItsText) {
    struct row {
        bytes_view sent, answer, reason;
    };
    const std::string long_line = "SUB " + std::string(5000, 'a');
    const row rows[] = {
        {"XYZ", "-ERR 'Unknown Protocol Operation'\r\n", "Protocol Violation"},
        {"PUB a 1\r\nxyz", "-ERR 'Unknown Protocol Operation'\r\n", "Protocol Violation"},
        {"PUB a\r\n", "", "Protocol Violation"},
        {"PUB a 1001\r\n", "-ERR 'Maximum Payload Violation'\r\n",
         "Maximum Message Payload Exceeded"},
        {long_line, "-ERR 'maximum control line exceeded'\r\n", "Maximum Control Line Exceeded"},
        {"CONNECT {\"protocol\":2}\r\n", "-ERR 'invalid client protocol'\r\n",
         "Bad Client Protocol Version"},
        {"CONNECT {\"headers\":false,\"no_responders\":false}\r\nHPUB a 1 1\r\n", "",
         "Protocol Violation"},
        {"CONNECT {\"headers\":false,\"no_responders\":true}\r\n",
         "-ERR 'no responders requires headers support'\r\n", "No Responders Requires Headers"},
        {"CONNECT {\"account\":\"a\"}\r\n", "-ERR 'Authorization Violation'\r\n",
         "Authentication Failure"},
        {"CONNECT {\r\n", "", "Protocol Violation"},
        {"INFO {\r\n", "", "Protocol Violation"},
        {"-ERR 'x'\r\n", "", "Parse Error"},
    };
    for (const auto& [sent, answer, reason] : rows) {
        script s;
        s.receives(quiet);
        s.events();
        EXPECT_EQ(s.receives(sent), answer) << sent;
        auto events = s.events();
        if (events.starts_with("connect: ")) events.erase(0, 9);
        EXPECT_EQ(events, "closed:" + std::string(reason)) << sent;
        EXPECT_TRUE(s.server.is_closed());
        EXPECT_EQ(s.server.next_deadline(), std::nullopt);
    }
}

TEST(ServerProtocol, PingsAnIdleClientAndLeavesOneThatDoesNotAnswer) {
    script s;
    s.receives(quiet);
    s.events();
    EXPECT_EQ(s.waits(2s), "PING\r\n");
    EXPECT_EQ(s.receives("PONG\r\n"), "");
    EXPECT_EQ(s.waits(120s), "PING\r\n");
    EXPECT_EQ(s.waits(120s), "PING\r\n");
    EXPECT_EQ(s.waits(120s), "-ERR 'Stale Connection'\r\n");
    EXPECT_EQ(s.events(), "closed:Stale Connection");
}

TEST(ServerProtocol, DeliversHeadersOnlyToThoseWhoReadThem) {
    const delivery message{
        .subject = "a", .sid = "1", .headers = "NATS/1.0\r\n\r\n", .payload = "hi"};
    script s;
    EXPECT_TRUE(s.server.deliver(message));
    EXPECT_EQ(s.sent(), "MSG a 1 2\r\nhi\r\n");
    s.receives(quiet);
    EXPECT_TRUE(s.server.deliver(message));
    EXPECT_EQ(s.sent(), "HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
}

TEST(ServerProtocol, EndsTheSessionOfASlowConsumer) {
    auto small = options();
    small.max_pending_bytes = 100;
    script s(small);
    const std::string payload(60, 'x');
    EXPECT_TRUE(s.server.deliver({.subject = "a", .sid = "1", .payload = payload}));
    EXPECT_EQ(s.server.deliver({.subject = "a", .sid = "1", .payload = payload}).error(),
              errc::output_full);
    s.drain();
    EXPECT_EQ(s.events(), "closed:Slow Consumer (Pending Bytes)");
    EXPECT_EQ(s.sent(), "");
    EXPECT_EQ(s.server.deliver({.subject = "a", .sid = "1"}).error(), errc::closed);
}

TEST(ServerProtocol, EndsTheSessionOfAClientThatAsksForPongsAndDoesNotReadThem) {
    auto small = options();
    small.max_pending_bytes = 1000;
    script s(small);
    std::string pings;
    for (int i = 0; i < 1000; ++i) pings += "PING\r\n";
    EXPECT_EQ(s.receives(pings), "");
    EXPECT_EQ(s.events(), "closed:Slow Consumer (Pending Bytes)");
}

TEST(ServerProtocol, EndsWithItsTransport) {
    script s;
    s.server.transport_closed();
    s.drain();
    EXPECT_EQ(s.events(), "closed:Client Closed");
}

} // namespace
} // namespace pipit::protocol
