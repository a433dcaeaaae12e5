// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/http_client.hpp>

#include <gtest/gtest.h>

#include <chrono>

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
    for (const auto* const wrong : {"", "h", "https://h", "http://", "http://h:x", "http://h:0",
                                    "http://h/ a", "http://u:p@h/", "http://h:70000"}) {
        EXPECT_FALSE(net::parse_http_url(wrong)) << wrong;
    }
}

TEST(HttpClient, GetsAnAnswer) {
    auto server = net::http_server::listen({}, [](std::string_view target) {
        return net::http_response{201, "text/plain", "you asked for " + std::string(target)};
    });
    ASSERT_TRUE(server);
    net::http_post_request request{.to = {"127.0.0.1", (*server)->port(), "/x"},
                                   .content_type = "application/json",
                                   .body = "{}",
                                   .timeout = 10s,
                                   .answer_bytes_max = 1000};
    const auto answer = net::http_post(request);
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(answer->body, "you asked for /x");
    request.answer_bytes_max = 5;
    EXPECT_FALSE(net::http_post(request));
}

TEST(HttpClient, GivesUp) {
    net::http_post_request request{.to = {"127.0.0.1", 1, "/"},
                                   .content_type = "",
                                   .body = "",
                                   .timeout = 10s,
                                   .answer_bytes_max = 1000};
    EXPECT_FALSE(net::http_post(request));
}

} // namespace
