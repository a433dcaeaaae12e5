// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/http_client.hpp>
#include <pipit/net/test_certificates.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <utility>

namespace {

using namespace pipit;
using namespace std::chrono_literals;

TEST(HttpClient, ReadsUrls) {
    const auto url = net::parse_http_url("http://example.com:8080/a/b?c=d");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->host, "example.com");
    EXPECT_EQ(url->port, 8080);
    EXPECT_EQ(url->target, "/a/b?c=d");
    EXPECT_EQ(net::parse_http_url("http://[::1]")->host, "::1");
    EXPECT_EQ(net::parse_http_url("http://h?x")->target, "/?x");
    EXPECT_EQ(net::parse_http_url("http://h/a#b")->target, "/a");
    EXPECT_EQ(net::parse_http_url("http://h", 8222)->port, 8222);
    const auto secure = net::parse_http_url("https://me:a%40b@h/");
    EXPECT_TRUE(secure->is_secure);
    EXPECT_EQ(secure->port, 443);
    EXPECT_EQ(secure->user_and_password, "me:a@b");
    EXPECT_EQ(secure->host, "h");
    EXPECT_FALSE(net::parse_http_url("HTTP://h")->is_secure);
    EXPECT_TRUE(net::parse_http_url("HttpS://h")->is_secure);
    for (const auto* const wrong : {"", "h", "ftp://h", "http://", "http://h:x", "http://h:0",
                                    "http://h/ a", "http://%@h/", "http://h:70000"}) {
        EXPECT_FALSE(net::parse_http_url(wrong)) << wrong;
    }
}

TEST(HttpClient, GetsAnAnswer) {
    auto server = net::http_server::listen({}, [](std::string_view target) {
        return net::http_response{201, "text/plain", "you asked for " + std::string(target)};
    });
    ASSERT_TRUE(server);
    net::http_request request{
        .to = *net::parse_http_url("http://127.0.0.1:" + std::to_string((*server)->port()) + "/x"),
        .content_type = "application/json",
        .body = "{}",
        .timeout = 10s,
        .answer_bytes_max = 1000};
    const auto answer = net::fetch_http(request);
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(answer->body, "you asked for /x");
    request.body.reset();
    EXPECT_EQ(net::fetch_http(request)->body, "you asked for /x");
    request.answer_bytes_max = 5;
    EXPECT_FALSE(net::fetch_http(request));
}

TEST(HttpClient, TrustsWhomItShouldTrust) {
    net::test::authority authority;
    const auto its = net::tls_context::for_server({.key_pairs = {authority.issue()}});
    ASSERT_TRUE(its) << its.error().message();
    auto server = net::http_server::listen({.tls = [&] { return *its; }}, [](std::string_view) {
        return net::http_response{200, "text/plain", "secret"};
    });
    ASSERT_TRUE(server);
    const auto port = std::to_string((*server)->port());
    const auto fetched = [&](const std::string& host, const net::tls_settings& settings) {
        return net::fetch_http({.to = *net::parse_http_url("https://" + host + ":" + port),
                                .content_type = {},
                                .body = {},
                                .timeout = 10s,
                                .answer_bytes_max = 1000,
                                .tls = *net::tls_context::for_client(settings)});
    };
    const net::tls_settings trusting{.authorities_file = authority.file(), .verifies_peer = true};
    const auto answer = fetched("localhost", trusting);
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->body, "secret");
    EXPECT_TRUE(fetched("127.0.0.1", {.verifies_peer = false}));
    EXPECT_FALSE(fetched("localhost", {.verifies_peer = true}));
    net::test::authority other("Other");
    EXPECT_FALSE(fetched("localhost", {.authorities_file = other.file(), .verifies_peer = true}));
    EXPECT_TRUE(fetched("127.0.0.1", trusting));
}

TEST(HttpServer, KeepsTheCertificatesOfAConnectionThatAReloadReplaces) {
    net::test::authority authority;
    const net::tls_settings settings{.key_pairs = {authority.issue(), authority.issue()},
                                     .authorities_file = authority.file(),
                                     .verifies_peer = true};
    int asked = 0;
    auto its = net::tls_context::for_server(settings, {.judge = [&](auto, auto then) {
                                                ++asked;
                                                then("");
                                            }});
    ASSERT_TRUE(its) << its.error().message();
    auto server = net::http_server::listen({.tls = [&] { return std::exchange(*its, nullptr); }},
                                           [](std::string_view) {
                                               return net::http_response{200, "text/plain", "ok"};
                                           });
    ASSERT_TRUE(server);
    const auto answer = net::fetch_http(
        {.to = *net::parse_http_url("https://localhost:" + std::to_string((*server)->port())),
         .content_type = {},
         .body = {},
         .timeout = 10s,
         .answer_bytes_max = 1000,
         .tls = *net::tls_context::for_client({.key_pairs = {authority.issue()},
                                               .authorities_file = authority.file(),
                                               .verifies_peer = true})});
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->body, "ok");
    EXPECT_EQ(asked, 1);
}

TEST(HttpClient, GivesUp) {
    EXPECT_FALSE(net::fetch_http({.to = *net::parse_http_url("http://127.0.0.1:1/"),
                                  .content_type = {},
                                  .body = {},
                                  .timeout = 10s,
                                  .answer_bytes_max = 1000}));
}

} // namespace
