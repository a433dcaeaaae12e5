// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/websocket_policy.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

net::websocket_request request_from(const std::string& origin, const std::string& host = "h") {
    net::websocket_request request;
    request.path = "/";
    request.host = host;
    if (!origin.empty()) request.origin = origin;
    return request;
}

/// Why it is refused; empty: it is not.
std::string refusal(const websocket_options& options, const net::websocket_request& request,
                    bool over_tls = false) {
    const auto verdict = websocket_policy(options, over_tls).judge(request);
    return verdict.refused_with == 0 ? ""
                                     : std::to_string(verdict.refused_with) + " " + verdict.why;
}

TEST(WebOrigin, IsSchemeHostAndPort) {
    EXPECT_EQ(parse_origin("https://App.Example"), (web_origin{"https", "app.example", "443"}));
    EXPECT_EQ(parse_origin("http://a:8080/x"), (web_origin{"http", "a", "8080"}));
    EXPECT_EQ(parse_origin("http://[::1]:1"), (web_origin{"http", "::1", "1"}));
    EXPECT_EQ(parse_origin("http://[::1]"), (web_origin{"http", "::1", "80"}));
    EXPECT_EQ(origin_of_host("A:443", true), (web_origin{"https", "a", "443"}));
    for (const auto* const none :
         {"", "null", "a", "//a", "://a", "http://", "http://:80", "http://a b", "http://a@b",
          "http://::1", "http://a:", "http://a:x", "http://a:123456", "http://a?b", "http://[a"}) {
        EXPECT_FALSE(parse_origin(none)) << none;
    }
}

TEST(WebSocketPolicy, TakesAnyOriginWhereNoneIsAskedFor) {
    EXPECT_EQ(refusal({}, request_from("https://anywhere.example")), "");
    EXPECT_EQ(refusal({}, request_from("null")), "");
}

TEST(WebSocketPolicy, APageOfAnotherOriginIsRefused) {
    const websocket_options same{.same_origin = true};
    EXPECT_EQ(refusal(same, request_from("http://a.example:8080", "A.example:8080")), "");
    EXPECT_EQ(refusal(same, request_from("http://a.example", "a.example")), "");
    const auto other = "403 origin not allowed: not same origin";
    EXPECT_EQ(refusal(same, request_from("http://evil.example:8080", "a.example:8080")), other);
    EXPECT_EQ(refusal(same, request_from("http://a.example:81", "a.example:8080")), other);
    EXPECT_EQ(refusal(same, request_from("https://a.example:8080", "a.example:8080")), other);
    EXPECT_EQ(refusal(same, request_from("https://a.example", "a.example"), true), "");
    EXPECT_EQ(refusal(same, request_from("null", "a.example")),
              "403 origin not allowed: invalid origin");
}

TEST(WebSocketPolicy, OnlyListedOriginsAreAllowed) {
    const websocket_options listed{.allowed_origins = {"https://a.example", "http://b.example:81"}};
    EXPECT_EQ(refusal(listed, request_from("https://a.example")), "");
    EXPECT_EQ(refusal(listed, request_from("https://a.example:443")), "");
    EXPECT_EQ(refusal(listed, request_from("http://b.example:81")), "");
    for (const auto* const other : {"http://a.example", "https://a.example:444", "http://b.example",
                                    "https://a.example.evil.example"}) {
        EXPECT_EQ(refusal(listed, request_from(other)),
                  "403 origin not allowed: not in the allowed list");
    }
}

TEST(WebSocketPolicy, WhoIsNoPageNeedsNoOrigin) {
    const websocket_options strict{.same_origin = true, .allowed_origins = {"https://a.example"}};
    EXPECT_EQ(refusal(strict, request_from("")), "");
}

TEST(WebSocketPolicy, AnyPathIsAClientsButThoseOfOtherProtocols) {
    auto request = request_from("");
    for (const auto* const path : {"/", "/nats", "/a/deep/prefix/", "/mqtt/x"}) {
        request.path = path;
        EXPECT_EQ(refusal({}, request), "") << path;
    }
    request.path = "/prefix/mqtt";
    EXPECT_EQ(refusal({}, request), "404 mqtt websocket endpoint not enabled");
    request.path = "/leafnode";
    EXPECT_EQ(refusal({}, request), "404 not configured to accept leaf node connections");
}

TEST(WebSocketPolicy, AnswersWithTheConfiguredHeaders) {
    const websocket_policy policy({.headers = {{"X-A", "1"}, {"X-B", "two words"}}}, false);
    EXPECT_EQ(policy.judge(request_from("")).extra_fields, "X-A: 1\r\nX-B: two words\r\n");
}

TEST(WebSocketPolicy, ReadsCookiesByTheirConfiguredNamesAlone) {
    const websocket_policy policy({.user_cookie = "u", .pass_cookie = "p", .token_cookie = "t"},
                                  false);
    auto request = request_from("");
    request.cookies = {{"u", "ann"}, {"x", "y"}, {"p", "s3cr3t"}, {"u", "bob"}, {"jwt", "no"}};
    broker::session_origin origin;
    policy.note_request(request, origin);
    EXPECT_TRUE(origin.is_websocket);
    ASSERT_TRUE(origin.defaults);
    EXPECT_EQ(origin.defaults->user, "bob") << "as nats-server, the last one counts";
    EXPECT_EQ(origin.defaults->pass, "s3cr3t");
    EXPECT_EQ(origin.defaults->auth_token, "");
    EXPECT_EQ(origin.defaults->jwt, "");
    broker::session_origin other;
    websocket_policy({}, false).note_request(request, other);
    EXPECT_FALSE(other.defaults);
}

TEST(WebSocketPolicy, ShowsWhomAProxyNamesIfItIsAnAddress) {
    const websocket_policy policy({}, false);
    for (const auto& [said, shown] :
         std::map<std::string, std::string>{{"192.0.2.7", "192.0.2.7"},
                                            {"2001:db8::1", "2001:db8::1"},
                                            {"192.0.2.7, 10.0.0.1", ""},
                                            {"somebody", ""},
                                            {"", ""}}) {
        auto request = request_from("");
        request.forwarded_for = said;
        broker::session_origin origin;
        policy.note_request(request, origin);
        EXPECT_EQ(origin.forwarded_for, shown) << said;
    }
}

} // namespace
} // namespace pipit::server
