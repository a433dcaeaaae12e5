// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/websocket_limits.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/websocket_handshake.hpp>

#include <gtest/gtest.h>

namespace pipit::net {
namespace {

using namespace std::string_literals;

constexpr auto sample_key = "dGhlIHNhbXBsZSBub25jZQ==";

/// A request that is right, with one field more.
std::string request_text(const std::string& more = "", const std::string& target = "/") {
    return "GET " + target +
           " HTTP/1.1\r\nHost: example.com:8080\r\nUpgrade: websocket\r\n"
           "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: " +
           sample_key + "\r\nSec-WebSocket-Version: 13\r\n" + more + "\r\n";
}

/// The same without the field.
std::string request_without(const std::string& field) {
    auto text = request_text();
    const auto begin = text.find(field);
    return text.erase(begin, text.find("\r\n", begin) + 2 - begin);
}

http_head head_of(const std::string& text) {
    const auto head = parse_http_head(text);
    EXPECT_TRUE(head && *head) << text;
    return head && *head ? **head : http_head();
}

websocket_request asked(const std::string& text) {
    auto request = read_websocket_request(head_of(text));
    EXPECT_TRUE(request.has_value()) << request.error().why;
    return request ? *request : websocket_request();
}

std::string refusal(const std::string& text) {
    const auto request = read_websocket_request(head_of(text));
    return request ? "" : std::to_string(request.error().status) + " " + request.error().why;
}

TEST(WebSocketHandshake, AnswersTheKeyOfTheRfc) {
    EXPECT_EQ(websocket_accept(sample_key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocketHandshake, ReadsWhatIsAskedFor) {
    const auto text = request_text("Origin: https://app.example\r\n"
                                   "User-Agent: Mozilla/5.0 (X11)\r\n"
                                   "X-Forwarded-For: 192.0.2.7\r\n"
                                   "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                                   "Nats-No-Masking: true\r\n",
                                   "/nats/chat?room=1");
    const auto request = asked(text);
    EXPECT_EQ(request.path, "/nats/chat");
    EXPECT_EQ(request.host, "example.com:8080");
    EXPECT_EQ(request.origin, "https://app.example");
    EXPECT_EQ(request.user_agent, "Mozilla/5.0 (X11)");
    EXPECT_EQ(request.forwarded_for, "192.0.2.7");
    EXPECT_TRUE(request.offers_compression);
    EXPECT_TRUE(request.wants_no_masking);
}

TEST(WebSocketHandshake, WhatIsNotSaidIsNotAssumed) {
    const auto request = asked(request_text());
    EXPECT_FALSE(request.origin);
    EXPECT_FALSE(request.offers_compression);
    EXPECT_FALSE(request.wants_no_masking);
    EXPECT_TRUE(request.cookies.empty());
    EXPECT_FALSE(asked(request_text("Nats-No-Masking: false\r\n")).wants_no_masking);
    EXPECT_FALSE(asked(request_text("Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n"))
                     .offers_compression);
}

TEST(WebSocketHandshake, ReadsCookiesAndLeavesOutWhatIsNone) {
    const auto request = asked(
        request_text("Cookie: a=1; b=\"two words\"; c=x=y\r\nCookie: bad; =x; d= ;e=\"\\\"\r\n"));
    std::string seen;
    for (const auto& cookie : request.cookies) seen += cookie.name + "[" + cookie.value + "]";
    EXPECT_EQ(seen, "a[1]b[two words]c[x=y]d[]");
}

TEST(WebSocketHandshake, RefusesWhatIsNoRequestForAWebSocketInTheServersWords) {
    auto post = request_text();
    EXPECT_EQ(refusal(post.replace(0, 3, "POST")), "405 request method must be GET");
    EXPECT_EQ(refusal(request_without("Host")), "400 'Host' missing in request");
    EXPECT_EQ(refusal(request_without("Upgrade:")), "400 invalid value for header 'Upgrade'");
    EXPECT_EQ(refusal(request_without("Connection")), "400 invalid value for header 'Connection'");
    EXPECT_EQ(refusal(request_without("Sec-WebSocket-Key")), "400 key missing");
    EXPECT_EQ(refusal(request_without("Sec-WebSocket-Version")), "400 invalid version");
    for (const auto* const key : {"short", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZ!=="}) {
        EXPECT_EQ(refusal(request_without("Sec-WebSocket-Key")
                              .insert(16, "Sec-WebSocket-Key: "s + key + "\r\n")),
                  "400 invalid websocket key");
    }
}

TEST(WebSocketHandshake, RefusesWhatTwoPartsOfTheWayCouldReadDifferently) {
    for (const auto* const line :
         {"Host: other\r\n", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"}) {
        EXPECT_NE(refusal(request_text(line)).find("is repeated"), std::string::npos) << line;
    }
    EXPECT_NE(refusal(request_text("Origin: a\r\nOrigin: b\r\n")), "");
    EXPECT_EQ(refusal(request_text("Content-Length: 4\r\n")), "400 request has a body");
    EXPECT_EQ(refusal(request_text("Transfer-Encoding: chunked\r\n")), "400 request has a body");
    EXPECT_EQ(refusal(request_text("Content-Length: 0\r\n")), "");
}

TEST(WebSocketHandshake, TakesAnyPathAndNothingElse) {
    EXPECT_EQ(asked(request_text("", "http://example.com/a/b?c")).path, "/a/b");
    EXPECT_EQ(asked(request_text("", "http://example.com")).path, "/");
    for (const auto* const target : {"*", "", "nats", "/a b", "/\xc3\xa4", "ftp://x/"}) {
        EXPECT_EQ(refusal(request_text("", target)), "400 malformed request line") << target;
    }
    auto old = request_text();
    EXPECT_EQ(refusal(old.replace(old.find("1.1"), 3, "1.0")), "400 malformed request line");
}

TEST(HttpHead, IsReadWhenItsEndHasCome) {
    const auto text = request_text();
    for (std::size_t count = 0; count < text.size(); ++count) {
        const auto head = parse_http_head(text.substr(0, count));
        ASSERT_TRUE(head.has_value());
        EXPECT_FALSE(head->has_value());
    }
    const auto with_more = text + "\x81\x80";
    EXPECT_EQ(head_of(with_more).bytes, text.size());
}

TEST(HttpHead, RefusesLinesThatSomebodyElseMayReadAsOthers) {
    for (const auto& line :
         {" folded: x"s, "\tfolded: x"s, "name : x"s, "na me: x"s, "noname"s, ": x"s,
          "name: a\nb: c"s, "name: a\rb"s, "name: \0"s, "name: \x7f"s, "n\xc3\xa4me: x"s}) {
        EXPECT_FALSE(parse_http_head(request_text(line + "\r\n")).has_value()) << line;
    }
    EXPECT_TRUE(parse_http_head(request_text("name:\t \xc3\xa4 \t\r\n")).has_value());
    std::string many;
    for (std::size_t i = 0; i < limits::http_head_fields; ++i) many += "a: b\r\n";
    EXPECT_FALSE(parse_http_head(request_text(many)).has_value());
}

TEST(WebSocketHandshake, ARefusalIsAWholeAnswer) {
    EXPECT_EQ(http_refusal_text(403),
              "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "Sec-Websocket-Version: 13\r\nX-Content-Type-Options: nosniff\r\n"
              "Connection: close\r\nContent-Length: 10\r\n\r\nForbidden\n");
}

TEST(WebSocketHandshake, TheAnswerSaysWhatWasAgreed) {
    EXPECT_EQ(websocket_response(
                  sample_key,
                  {.compresses = true, .without_masking = true, .extra_fields = "X-Mine: yes\r\n"}),
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
              "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
              "client_no_context_takeover\r\nNats-No-Masking: true\r\nX-Mine: yes\r\n\r\n");
}

const websocket_demand demand{
    .host = "example.com:80", .path = "/nats", .key = sample_key, .offers_compression = true};

std::string answer_error(const std::string& text, const websocket_demand& to = demand) {
    const auto read = read_websocket_response(head_of(text), to);
    return read ? "" : std::string(read.error().detail());
}

TEST(WebSocketHandshake, AClientAsksAndTakesTheServersAnswer) {
    const auto text = websocket_request_text(demand);
    ASSERT_TRUE(text.has_value());
    const auto request = asked(*text);
    EXPECT_EQ(request.path, "/nats");
    EXPECT_EQ(request.host, "example.com:80");
    EXPECT_TRUE(request.offers_compression);
    const auto plain = websocket_response(request.key, {});
    EXPECT_FALSE(read_websocket_response(head_of(plain), demand)->compresses);
    const auto compressed = websocket_response(request.key, {.compresses = true});
    EXPECT_TRUE(read_websocket_response(head_of(compressed), demand)->compresses);
}

TEST(WebSocketHandshake, AClientRefusesAnAnswerThatIsNotToItsQuestion) {
    const auto right = websocket_response(sample_key, {});
    auto wrong = right;
    EXPECT_EQ(answer_error(wrong.replace(wrong.find("s3p"), 3, "S3P")),
              "the server's Sec-WebSocket-Accept is wrong");
    EXPECT_EQ(answer_error(http_refusal_text(403)), "the server answered: 403 Forbidden");
    EXPECT_EQ(answer_error("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
              "the server did not upgrade");
    EXPECT_EQ(answer_error("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "the answer is not HTTP/1.1");
    const auto with = [&](const std::string& line) {
        return right.substr(0, right.size() - 2) + line + "\r\n\r\n";
    };
    const auto extension = "Sec-WebSocket-Extensions: "s;
    EXPECT_NE(answer_error(with(extension + "permessage-deflate")), "");
    EXPECT_NE(answer_error(with(extension + "x-other")), "");
    EXPECT_NE(answer_error(with("Sec-WebSocket-Protocol: mqtt")), "");
    EXPECT_NE(answer_error(with(extension + "permessage-deflate; server_no_context_takeover; "
                                            "client_no_context_takeover"),
                           {.key = sample_key}),
              "");
}

TEST(WebSocketHandshake, AClientsUrlBringsNoLinesOfItsOwn) {
    for (const auto* const path : {"nats", "/a b", "/a\r\nCookie: x", "/\x7f"}) {
        EXPECT_FALSE(websocket_request_text({.host = "h", .path = path, .key = sample_key}))
            << path;
    }
    EXPECT_FALSE(websocket_request_text({.host = "h\r\nX: y", .path = "/", .key = sample_key}));
    EXPECT_FALSE(websocket_request_text({.host = "", .path = "/", .key = sample_key}));
    EXPECT_TRUE(websocket_request_text({.host = "h", .path = "", .key = sample_key}));
}

} // namespace
} // namespace pipit::net
