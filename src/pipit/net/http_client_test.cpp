// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/error.hpp>
#include <pipit/net/http_client.hpp>
#include <pipit/net/test_certificates.hpp>
#include <pipit/net/test_silent_resolver.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
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
    std::atomic<int> asked = 0; // By the server's thread.
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

/// A server whose clients somebody judges, and clients with a certificate.
struct HttpServerJudgement : testing::Test {
    std::unique_ptr<net::http_server> serve(net::peer_judge judge) {
        const net::tls_settings settings{.key_pairs = {authority.issue()},
                                         .authorities_file = authority.file(),
                                         .verifies_peer = true};
        context = *net::tls_context::for_server(settings, {.judge = std::move(judge)});
        return std::move(
            *net::http_server::listen({.tls = [this] { return context; }}, [](std::string_view) {
                return net::http_response{200, "text/plain", "ok"};
            }));
    }
    result<net::http_response> get(const net::http_server& from) {
        const auto url = "https://localhost:" + std::to_string(from.port());
        return net::fetch_http({.to = *net::parse_http_url(url),
                                .content_type = {},
                                .body = {},
                                .timeout = 60s,
                                .answer_bytes_max = 1000,
                                .tls = own});
    }

    net::test::authority authority;
    std::shared_ptr<const net::tls_context> context;
    std::shared_ptr<const net::tls_context> own =
        *net::tls_context::for_client({.key_pairs = {authority.issue()},
                                       .authorities_file = authority.file(),
                                       .verifies_peer = true});
};
using answer_function = std::function<void(std::string)>;

TEST_F(HttpServerJudgement, HoldsNobodyElseUp) {
    std::promise<answer_function> asked;
    std::atomic<int> count = 0;
    const auto server = serve([&](const net::peer_to_judge& peer, answer_function then) {
        EXPECT_EQ(peer.chains.size(), 1u);
        EXPECT_EQ(peer.from, party("127.0.0.1"));
        if (count++ > 0) return then("");
        asked.set_value(std::move(then));
    });
    auto first = std::async(std::launch::async, [&] { return get(*server); });
    const auto answer = asked.get_future().get();
    const auto second = get(*server);
    ASSERT_TRUE(second) << second.error().message();
    EXPECT_EQ(first.wait_for(0s), std::future_status::timeout);
    answer("");
    EXPECT_TRUE(first.get());
}

TEST_F(HttpServerJudgement, TellsWhoIsRefusedThatTheCertificateIsBad) {
    const auto server = serve([](const auto&, const answer_function& then) { then("no"); });
    const auto answer = get(*server);
    ASSERT_FALSE(answer);
    EXPECT_NE(answer.error().message().find("bad certificate"), std::string::npos)
        << answer.error().message();
}

TEST_F(HttpServerJudgement, MayComeWhenTheServerHasEnded) {
    std::promise<answer_function> asked;
    auto server =
        serve([&](const auto&, answer_function then) { asked.set_value(std::move(then)); });
    auto first = std::async(std::launch::async, [&] { return get(*server); });
    const auto answer = asked.get_future().get();
    server.reset();
    answer("");
    EXPECT_FALSE(first.get());
}

TEST(HttpClient, GivesUp) {
    EXPECT_FALSE(net::fetch_http({.to = *net::parse_http_url("http://127.0.0.1:1/"),
                                  .content_type = {},
                                  .body = {},
                                  .timeout = 10s,
                                  .answer_bytes_max = 1000}));
}

// --- Names, and who does not want to wait for them ---

struct HttpClientNames : testing::Test {
    ~HttpClientNames() override { net::test::resolver.answer(); }

    static net::http_request request(nanoseconds timeout) {
        return {.to = *net::parse_http_url("http://silent.example/"),
                .content_type = {},
                .body = {},
                .timeout = timeout,
                .answer_bytes_max = 1000};
    }
};

TEST_F(HttpClientNames, AreGivenUpInTime) {
    const auto answer = net::fetch_http(request(50ms));
    EXPECT_EQ(answer.error(), net::errc::timeout);
    EXPECT_TRUE(net::test::resolver.is_asked()) << "the system has not answered yet";
}

TEST_F(HttpClientNames, AreNotWaitedForByWhoGivesUp) {
    const auto answer =
        net::fetch_http(request(24h), [] { return net::test::resolver.is_asked(); });
    EXPECT_FALSE(answer);
    EXPECT_TRUE(net::test::resolver.is_asked()) << "the system has not answered yet";
}

TEST_F(HttpClientNames, AreNotWaitedForByTheEndOfAnEventLoop) {
    auto loop = std::make_unique<net::event_loop>();
    std::thread runs([&] { loop->run(); });
    loop->post([&] {
        net::fetch_http(*loop, request(24h), [](const auto&) { ADD_FAILURE() << "it is over"; });
    });
    net::test::resolver.wait_until_asked();
    loop->stop();
    runs.join();
    loop.reset();
    EXPECT_TRUE(net::test::resolver.is_asked()) << "the system has not answered yet";
}

TEST(HttpClient, FindsNames) {
    auto server = net::http_server::listen({}, [](std::string_view) {
        return net::http_response{200, "text/plain", "found"};
    });
    ASSERT_TRUE(server);
    const auto url = "http://localhost:" + std::to_string((*server)->port());
    const auto answer = net::fetch_http({.to = *net::parse_http_url(url),
                                         .content_type = {},
                                         .body = {},
                                         .timeout = 60s,
                                         .answer_bytes_max = 1000});
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->body, "found");
}

TEST(HttpClient, TrustsNobodyWhereNobodyHasSaidWhom) {
    const auto answer = net::fetch_http({.to = *net::parse_http_url("https://127.0.0.1:1/"),
                                         .content_type = {},
                                         .body = {},
                                         .timeout = 60s,
                                         .answer_bytes_max = 1000});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error(), net::errc::unusable_tls_settings);
}

} // namespace
