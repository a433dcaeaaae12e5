// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/server_pool.hpp>

#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

#include <set>

namespace pipit::protocol {
namespace {

using transport = server_address::transport;

std::vector<server_address> servers(std::initializer_list<const char*> urls) {
    std::vector<server_address> out;
    for (const auto* url : urls) out.push_back(*parse_server_url(url));
    return out;
}

std::vector<std::string> one_round(server_pool& pool) {
    std::vector<std::string> out;
    for (auto i = pool.size(); i > 0; --i) {
        out.push_back(to_string(*pool.current()));
        pool.failed();
    }
    return out;
}

TEST(ServerUrl, NamesHostPortTransportAndUser) {
    const auto full = parse_server_url("nats://me:p%40ss@example.org:5222");
    ASSERT_TRUE(full);
    EXPECT_EQ(full->host, "example.org");
    EXPECT_EQ(full->port, 5222);
    EXPECT_EQ(full->user, "me");
    EXPECT_EQ(full->pass, "p@ss");
    EXPECT_EQ(parse_server_url("token@h")->token, "token");
    EXPECT_EQ(parse_server_url("h")->port, 4222);
    EXPECT_EQ(parse_server_url("tls://h/")->over, transport::tls);
    EXPECT_EQ(parse_server_url("ws://h/nats")->path, "/nats");
    EXPECT_EQ(parse_server_url("ws://h")->port, 80);
    EXPECT_EQ(parse_server_url("wss://h")->port, 443);
}

TEST(ServerUrl, NamesItsSchemeInLettersOfAnySize) {
    EXPECT_EQ(parse_server_url("NATS://h:1")->port, 1);
    EXPECT_EQ(parse_server_url("Tls://Host")->over, transport::tls);
    EXPECT_EQ(parse_server_url("Tls://Host")->host, "Host");
    EXPECT_EQ(parse_server_url("WSS://h")->over, transport::websocket_tls);
    EXPECT_EQ(parse_server_url("NAT://h").error(), errc::invalid_url);
}

TEST(ServerUrl, MayNameAnIpv6Address) {
    EXPECT_EQ(parse_server_url("nats://[::1]:4333")->port, 4333);
    EXPECT_EQ(parse_server_url("[fe80::1]")->host, "fe80::1");
    EXPECT_EQ(parse_server_url("::1")->host, "::1");
    EXPECT_EQ(to_string(*parse_server_url("[::1]:4333")), "[::1]:4333");
}

TEST(ServerUrl, MayBeOneOfAList) {
    const auto listed = parse_server_urls("nats://u:p@a:1, b,,TLS://c/");
    ASSERT_TRUE(listed);
    ASSERT_EQ(listed->size(), 3u);
    EXPECT_EQ(shown_name(listed->front()), "a:1");
    EXPECT_EQ(listed->back().over, transport::tls);
    EXPECT_TRUE(parse_server_urls(" ,")->empty());
    EXPECT_EQ(parse_server_urls("a,b:x").error().detail(), "b:x");
}

TEST(ServerUrl, OfAListThatMayBeAPartOfAPasswordIsNotShown) {
    const auto listed = parse_server_urls("nats://me:12,word@a");
    ASSERT_TRUE(listed);
    EXPECT_EQ(shown_name(listed->front()).find("me"), std::string::npos);
    EXPECT_EQ(shown_name(listed->back()), "a:4222");
    const auto refused = parse_server_urls("nats://me:pass,word@a");
    EXPECT_EQ(refused.error(), errc::invalid_url);
    EXPECT_EQ(refused.error().detail(), "nats://a: a comma in a user or password is written %2C");
}

TEST(ServerUrl, IsRefusedWhenItIsMalformedAndThenNamesNoPassword) {
    for (const auto* url : {"", "http://h", "h:x", "h:0", "h:99999", "h:", "[::1", "[::1]x",
                            "nats://", "nats://u:%4@h", "a b", "user@"}) {
        EXPECT_EQ(parse_server_url(url).error(), errc::invalid_url) << url;
    }
    EXPECT_EQ(parse_server_url("nats://u:secret@h:x").error().detail(), "h:x");
}

TEST(ServerPool, LetsTheServersTakeTurns) {
    server_pool pool(servers({"a", "b", "c"}), {.randomize = false}, random_source(1));
    const std::vector<std::string> order{"a:4222", "b:4222", "c:4222"};
    EXPECT_EQ(one_round(pool), order);
    EXPECT_EQ(one_round(pool), order);
    pool.succeeded();
    pool.left();
    EXPECT_EQ(to_string(*pool.current()), "b:4222");
}

TEST(ServerPool, NamesAllOfThemTheCurrentOneFirst) {
    server_pool pool(servers({"a", "b:5222", "[::1]"}), {.randomize = false}, random_source(1));
    pool.left();
    EXPECT_EQ(pool.names(), (std::vector<std::string>{"b:5222", "[::1]:4222", "a:4222"}));
}

TEST(ServerPool, BeginsInAnOrderThatTheSeedDecides) {
    std::set<std::vector<std::string>> orders;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        server_pool pool(servers({"a", "b", "c"}), {}, random_source(seed));
        orders.insert(one_round(pool));
    }
    EXPECT_EQ(orders.size(), 6u);
}

TEST(ServerPool, RemovesAServerAfterItsLastAttempt) {
    server_pool pool(servers({"a"}), {.attempts_max = 3}, random_source(1));
    pool.failed();
    pool.failed();
    pool.succeeded(); // Forgets them.
    pool.failed();
    pool.failed();
    ASSERT_NE(pool.current(), nullptr);
    pool.failed();
    EXPECT_EQ(pool.current(), nullptr);
}

TEST(ServerPool, RemovesAServerThatGivesTheSameAuthErrorTwiceInARow) {
    server_pool pool(servers({"a"}), {.attempts_max = -1}, random_source(1));
    pool.failed("authorization violation");
    pool.failed();
    pool.failed("authorization violation");
    pool.failed("user authentication expired");
    ASSERT_NE(pool.current(), nullptr);
    pool.failed("user authentication expired");
    EXPECT_EQ(pool.current(), nullptr);

    server_pool patient(servers({"a"}),
                        {.attempts_max = -1, .remove_on_repeated_auth_error = false},
                        random_source(1));
    for (int i = 0; i < 100; ++i) patient.failed("authorization violation");
    EXPECT_NE(patient.current(), nullptr);
}

TEST(ServerPool, TakesDiscoveredServersAndForgetsThemWhenTheyAreGone) {
    server_pool pool(servers({"tls://me:pw@a", "b"}), {.randomize = false}, random_source(1));
    pool.discover({"a:4222", "c:4333", "[::1]:4222", "not:a:url:x y"});
    ASSERT_EQ(pool.size(), 4u);
    pool.left();
    pool.left();
    EXPECT_EQ(to_string(*pool.current()), "c:4333");
    EXPECT_EQ(pool.current()->over, transport::tls);
    EXPECT_EQ(pool.current()->user, "me");
    pool.discover({"d:1"}); // The configured ones and the current one stay.
    EXPECT_EQ(one_round(pool), (std::vector<std::string>{"c:4333", "a:4222", "b:4222", "d:1"}));
    pool.discover({});
    EXPECT_EQ(pool.size(), 4u);
}

TEST(ServerPool, KeepsNoMoreServersThanAClusterHas) {
    server_pool pool(servers({"a"}), {}, random_source(1));
    std::vector<std::string> urls;
    for (int i = 0; i < 50'000; ++i) urls.push_back("h" + std::to_string(i) + ":1");
    pool.discover(urls);
    EXPECT_EQ(pool.size(), 1001u);
}

} // namespace
} // namespace pipit::protocol
