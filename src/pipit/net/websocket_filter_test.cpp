// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/detail/websocket_frames.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/websocket_filter.hpp>

#include <gtest/gtest.h>

#include <array>

namespace pipit::net {
namespace {

using namespace std::string_literals;
using detail::frame_of;
using detail::frames_in;
using detail::masked;
using opcode = websocket_opcode;

struct test_gate final : websocket_gate {
    [[nodiscard]] websocket_verdict judge(const websocket_request& request) const override {
        if (request.path == "/forbidden") return {.refused_with = 403, .why = "not this one"};
        return {.compresses = compresses, .extra_fields = "X-Mine: yes\r\n"};
    }
    bool compresses = true;
};

/// One side: what it was given, and what it wants to be sent.
struct side {
    explicit side(websocket_filter& of) : filter(of) {}

    result<> receive(bytes_view bytes) { return filter.receive(bytes, plain, wire); }
    /// Also what the filter holds until it is called again.
    result<> receive_all(bytes_view bytes) {
        auto outcome = receive(bytes);
        while (outcome && filter.holds_more()) outcome = receive({});
        return outcome;
    }
    void send(bytes_view bytes) {
        const std::array pieces{bytes.substr(0, bytes.size() / 3), bytes_view(),
                                bytes.substr(bytes.size() / 3)};
        EXPECT_TRUE(filter.send(pieces, wire).has_value());
    }
    std::string take_plain() { return std::exchange(plain, {}); }
    std::string take_wire() { return std::exchange(wire, {}); }

    websocket_filter& filter;
    std::string plain;
    std::string wire;
};

std::string request_with(const std::string& fields, const std::string& path = "/") {
    return "GET " + path +
           " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
           fields + "\r\n";
}

constexpr auto offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// A server's side, open after a request with these fields.
struct server_side : side {
    explicit server_side(const std::string& fields = "") : side(own) {
        EXPECT_TRUE(receive(request_with(fields)).has_value());
        answer = take_wire();
    }

    test_gate gate;
    websocket_deflate deflate;
    websocket_server_filter own{gate, deflate};
    std::string answer;
};

/// Both sides, open.
struct both_sides {
    explicit both_sides(bool compression)
        : client_filter({"h:1", "/nats", compression}, deflate, random_source(7)) {
        EXPECT_TRUE(client_filter.begin(client.wire).has_value());
        EXPECT_TRUE(server.receive(client.take_wire()).has_value());
        EXPECT_TRUE(client.receive(server.take_wire()).has_value());
        EXPECT_TRUE(client_filter.is_open() && server_filter.is_open());
    }

    test_gate gate;
    websocket_deflate deflate;
    websocket_server_filter server_filter{gate, deflate};
    websocket_client_filter client_filter;
    side server{server_filter};
    side client{client_filter};
};

/// As permessage-deflate puts it into one frame.
std::string compressed(bytes_view plain) {
    websocket_deflate deflate;
    const std::array pieces{plain};
    return frame_of({.is_compressed = true, .mask = detail::some_mask}, deflate.compress(pieces));
}

std::vector<std::pair<opcode, std::string>> frames_for_client(const std::string& wire) {
    return frames_in(wire, {.masks = mask_rule::forbidden, .allows_compression = true}).parts;
}

TEST(WebSocketFilter, CarriesAStreamBothWays) {
    for (const bool compression : {false, true}) {
        both_sides two(compression);
        for (const std::size_t size : {1, 64, 65, 126, 5000, 70'000}) {
            std::string text;
            for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(i * i % 251);
            two.client.send(text);
            ASSERT_TRUE(two.server.receive(two.client.take_wire()).has_value());
            EXPECT_EQ(two.server.take_plain(), text.substr(0, 1 << 20));
            two.server.filter.set_message_bytes_max(1 << 20);
            two.client.filter.set_message_bytes_max(1 << 20);
            two.server.send(text);
            ASSERT_TRUE(two.client.receive(two.server.take_wire()).has_value());
            EXPECT_EQ(two.client.take_plain(), text);
        }
    }
}

TEST(WebSocketFilter, UnpacksAFewMessagesAtATime) {
    server_side server(offer);
    const std::string large(60'000, 'z');
    std::string wire;
    for (int i = 0; i < 100; ++i) wire += compressed(large);
    wire += masked("", opcode::ping) + masked("behind");
    ASSERT_TRUE(server.receive(wire).has_value());
    std::size_t bytes = 0;
    int calls = 1;
    for (; server.filter.holds_more(); ++calls) {
        EXPECT_EQ(server.wire, "");
        EXPECT_LE(server.plain.size(), limits::websocket_unpacked_bytes + large.size());
        bytes += server.take_plain().size();
        ASSERT_TRUE(server.receive({}).has_value());
    }
    const auto last = server.take_plain();
    EXPECT_EQ(bytes + last.size(), 100 * large.size() + 6);
    EXPECT_TRUE(last.ends_with("behind"));
    EXPECT_GT(calls, 15);
    EXPECT_EQ(frames_for_client(server.take_wire()).size(), 1u);
    // What comes while some is held stands behind it.
    ASSERT_TRUE(server.receive(wire).has_value());
    ASSERT_TRUE(server.receive(masked("!")).has_value());
    EXPECT_GT(server.filter.kept_bytes(), 0u);
    while (server.filter.holds_more()) ASSERT_TRUE(server.receive({}).has_value());
    EXPECT_EQ(server.filter.kept_bytes(), 0u);
    EXPECT_TRUE(server.take_plain().ends_with("behind!"));
}

TEST(WebSocketFilter, GivesTheSameWhereverTheBytesAreCut) {
    const auto wire = masked("one") + compressed(std::string(3000, 'z')) +
                      masked("", opcode::ping) + masked("two");
    for (std::size_t piece = 1; piece < wire.size(); ++piece) {
        server_side server(offer);
        for (std::size_t at = 0; at < wire.size(); at += piece) {
            ASSERT_TRUE(server.receive(bytes_view(wire).substr(at, piece)).has_value());
        }
        ASSERT_EQ(server.plain, "one" + std::string(3000, 'z') + "two") << piece;
        ASSERT_EQ(server.wire, "\x8a\0"s);
    }
}

TEST(WebSocketFilter, TheRequestMayComeInAnyPieces) {
    const auto request = request_with("Cookie: token=s3cr3t\r\n", "/any/path");
    for (std::size_t piece = 1; piece < request.size(); piece += 7) {
        test_gate gate;
        websocket_deflate deflate;
        websocket_server_filter filter(gate, deflate);
        side server(filter);
        for (std::size_t at = 0; at < request.size(); at += piece) {
            EXPECT_FALSE(filter.is_open());
            ASSERT_TRUE(server.receive(bytes_view(request).substr(at, piece)).has_value());
        }
        ASSERT_TRUE(filter.is_open());
        const auto asked = filter.take_request();
        ASSERT_TRUE(asked);
        EXPECT_EQ(asked->path, "/any/path");
        EXPECT_EQ(asked->cookies.at(0).value, "s3cr3t");
        EXPECT_FALSE(filter.take_request());
        EXPECT_NE(server.wire.find("X-Mine: yes\r\n"), std::string::npos);
    }
}

TEST(WebSocketFilter, CompressesOnlyWhatBothWantAndWhatIsLargeEnough) {
    const std::string large(1000, 'x');
    server_side asked(offer);
    asked.send(large);
    EXPECT_LT(asked.wire.size(), 50U);
    asked.wire.clear();
    asked.send(std::string(64, 'x'));
    EXPECT_EQ(asked.wire.size(), 66U);

    server_side not_asked;
    not_asked.send(large);
    EXPECT_EQ(not_asked.wire.size(), 1004U);
    EXPECT_EQ(not_asked.receive(compressed(large)).error().detail(),
              "compressed frame received without negotiated permessage-deflate");
}

TEST(WebSocketFilter, ABrowserGetsSmallFrames) {
    const auto agent =
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0 Safari/537.36\r\n"s;
    server_side browser(agent);
    const std::string large(10'000, 'x');
    browser.send(large);
    const auto frames = frames_for_client(browser.take_wire());
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_EQ(frames[0].second.size(), 4096U);
    EXPECT_EQ(frames[2].second.size(), 10'000U - 8192U);
}

/// How many frames a compressed message of 20,000 bytes of noise takes.
std::ptrdiff_t fragments_for(const std::string& agent) {
    server_side browser(offer + "User-Agent: "s + agent + "\r\n");
    random_source random(1);
    std::string noise;
    while (noise.size() < 20'000) noise += static_cast<char>(random());
    browser.send(noise);
    websocket_reader reader({.masks = mask_rule::forbidden, .allows_compression = true});
    const auto wire = browser.take_wire();
    bytes_view rest = wire;
    std::ptrdiff_t count = 0;
    while (const auto next = *reader.next(rest)) {
        EXPECT_TRUE(next->is_compressed);
        EXPECT_EQ(next->ends_message, rest.empty());
        ++count;
    }
    return count;
}

TEST(WebSocketFilter, SafariGetsACompressedMessageInOneFrame) {
    EXPECT_EQ(fragments_for("Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36"), 5);
    EXPECT_EQ(fragments_for("Mozilla/5.0 Version/17.0 Safari/605.1.15"), 1);
    EXPECT_EQ(fragments_for("nats.go"), 1);
}

TEST(WebSocketFilter, AnswersPingsAndAClose) {
    server_side server;
    ASSERT_TRUE(server
                    .receive(masked("are you there", opcode::ping) + masked("x", opcode::pong) +
                             masked(close_payload(1000, "bye"), opcode::close) + masked("late"))
                    .has_value());
    EXPECT_EQ(frames_for_client(server.wire),
              (std::vector<std::pair<opcode, std::string>>{
                  {opcode::pong, "are you there"}, {opcode::close, close_payload(1000, "bye")}}));
    EXPECT_TRUE(server.filter.is_finished());
    EXPECT_EQ(server.plain, "");
    server.wire.clear();
    server.filter.finish(server.wire);
    EXPECT_EQ(server.wire, "") << "a side closes once";
}

TEST(WebSocketFilter, WhatCameBeforeTheEndIsAnsweredFirst) {
    for (const auto& end : {masked(close_payload(1000, ""), opcode::close), "\x82\x01x"s}) {
        server_side server;
        ASSERT_TRUE(server.receive(masked("PING") + end + masked("late")).has_value());
        EXPECT_EQ(server.take_plain(), "PING");
        EXPECT_FALSE(server.filter.is_finished());
        server.send("PONG");
        ASSERT_TRUE(server.filter.holds_more());
        const auto ended = server.receive(masked("later"));
        EXPECT_EQ(ended.has_value(), server.filter.is_finished());
        EXPECT_FALSE(server.filter.holds_more());
        EXPECT_EQ(server.plain, "");
        const auto frames = frames_for_client(server.wire);
        ASSERT_EQ(frames.size(), 2U);
        EXPECT_EQ(frames[0].second, "PONG");
        EXPECT_EQ(frames[1].first, opcode::close);
    }
}

TEST(WebSocketFilter, ACloseWithoutAStatusIsAnsweredWithoutOne) {
    server_side server;
    ASSERT_TRUE(server.receive(masked("", opcode::close)).has_value());
    EXPECT_EQ(server.wire, "\x88\0"s);
}

TEST(WebSocketFilter, WhoDoesNotReadIsNotSentMorePongs) {
    server_side server;
    const auto pings = masked(std::string(125, 'p'), opcode::ping);
    for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(server.receive(pings).has_value());
    EXPECT_LE(server.wire.size(), limits::websocket_unsent_pong_bytes + 127);
}

TEST(WebSocketFilter, SaysWhyItCloses) {
    server_side server;
    server.filter.close_with(websocket_status::policy_violation, "Authentication Timeout");
    server.filter.finish(server.wire);
    EXPECT_EQ(frames_for_client(server.wire).at(0).second,
              close_payload(1008, "Authentication Timeout"));
    const std::array pieces{bytes_view("late")};
    EXPECT_FALSE(server.filter.send(pieces, server.wire).has_value());
}

TEST(WebSocketFilter, WhoBreaksTheRulesIsToldAndNotHeardAnyMore) {
    server_side server;
    EXPECT_FALSE(server.receive_all(masked("good") + "\x82\x01x"s + masked("more")));
    EXPECT_EQ(server.plain, "good");
    EXPECT_EQ(frames_for_client(server.wire).at(0).second, close_payload(1002, "mask bit missing"));
    EXPECT_EQ(server.filter.failure().detail(), "mask bit missing");
    EXPECT_FALSE(server.receive(masked("again")).has_value());
    EXPECT_EQ(server.plain, "good");
}

TEST(WebSocketFilter, ABombDoesNotGoOff) {
    const auto bomb = compressed(std::string(1 << 20, '\0'));
    ASSERT_LT(bomb.size(), 5000U);
    server_side server(offer);
    EXPECT_FALSE(server.receive_all(bomb));
    EXPECT_LE(server.plain.size(), limits::websocket_first_message_bytes);
    EXPECT_EQ(parse_close(frames_for_client(server.wire).at(0).second)->status, 1009);
}

TEST(WebSocketFilter, ACompressedMessageThatNeverEndsIsNotHeldForEver) {
    server_side server(offer);
    const std::string part(1000, 'c');
    const auto first =
        frame_of({.is_final = false, .is_compressed = true, .mask = detail::some_mask}, part);
    const auto more = frame_of(
        {.opcode = opcode::continuation, .is_final = false, .mask = detail::some_mask}, part);
    std::size_t sent = part.size();
    ASSERT_TRUE(server.receive(first).has_value());
    while (server.receive(more)) sent += part.size();
    EXPECT_LE(sent, limits::websocket_first_message_bytes + part.size());
    EXPECT_EQ(parse_close(frames_for_client(server.wire).at(0).second)->status, 1009);
}

TEST(WebSocketFilter, CompressedNonsenseIsRefused) {
    for (const auto& wrong : {"\xff\xff\xff"s, "\x07"s, ""s}) {
        server_side server(offer);
        EXPECT_FALSE(
            server.receive(frame_of({.is_compressed = true, .mask = detail::some_mask}, wrong)))
            << wrong.size();
        EXPECT_EQ(server.plain, "");
    }
    // Source: RFC 7692, 7.2.3.6: this is a message without content.
    server_side server(offer);
    EXPECT_TRUE(
        server.receive(frame_of({.is_compressed = true, .mask = detail::some_mask}, "\0"s)));
    EXPECT_EQ(server.plain, "");
}

TEST(WebSocketFilter, ALastBlockOfTheSendersOwnEndsAMessageToo) {
    // "Hello" with BFINAL. Source: RFC 7692, 7.2.3.4.
    server_side server(offer);
    const auto wire = frame_of({.is_compressed = true, .mask = detail::some_mask},
                               "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s);
    ASSERT_TRUE(server.receive(wire).has_value());
    EXPECT_EQ(server.plain, "Hello");
}

TEST(WebSocketFilter, RefusesInHttp) {
    test_gate gate;
    websocket_deflate deflate;
    const auto answer_to = [&](const std::string& text) {
        websocket_server_filter filter(gate, deflate);
        side server(filter);
        EXPECT_FALSE(server.receive(text).has_value());
        EXPECT_FALSE(filter.is_open());
        return server.wire.substr(0, server.wire.find("\r\n"));
    };
    EXPECT_EQ(answer_to(request_with("", "/forbidden")), "HTTP/1.1 403 Forbidden");
    EXPECT_EQ(answer_to("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(answer_to("CONNECT {}\nPING\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(answer_to(request_with("") + masked("too early")), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nX: " + std::string(limits::http_head_bytes, 'x')),
              "HTTP/1.1 431 Request Header Fields Too Large");
    EXPECT_EQ(answer_to(std::string(1 << 20, 'x')), "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST(WebSocketFilter, AClientTakesFramesThatComeWithTheAnswer) {
    websocket_deflate deflate;
    websocket_client_filter filter({"h:1", "/", false}, deflate, random_source(1));
    side client(filter);
    ASSERT_TRUE(filter.begin(client.wire).has_value());
    const auto request = client.take_wire();
    const auto begin = request.find("Key: ") + 5;
    const std::string info(100'000, 'i');
    ASSERT_TRUE(
        client.receive(websocket_response(request.substr(begin, 24), {}) + frame_of({}, info))
            .has_value());
    EXPECT_EQ(client.plain, info);
}

TEST(WebSocketFilter, AClientSaysWhatTheServerAnswered) {
    websocket_deflate deflate;
    websocket_client_filter filter({"h:1", "/", false}, deflate, random_source(1));
    side client(filter);
    ASSERT_TRUE(filter.begin(client.wire).has_value());
    const auto refused = client.receive(http_refusal_text(403));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().detail(), "the server answered: 403 Forbidden");
    websocket_client_filter to_nowhere({"h:1", "/a b", false}, deflate, random_source(1));
    EXPECT_FALSE(to_nowhere.begin(client.wire).has_value());
}

} // namespace
} // namespace pipit::net
