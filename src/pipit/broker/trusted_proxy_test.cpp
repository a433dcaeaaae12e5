// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nonce.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/broker/detail/test_brokers.hpp>
#include <pipit/protocol/info.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pipit::broker {
namespace {

constexpr auto violation = "-ERR 'Authorization Violation'\r\n";
constexpr auto proxy = "UPROXY";

std::shared_ptr<configuration> trusting(std::vector<std::string> keys = {proxy}) {
    auto config = open_configuration();
    config->identity.nonces = std::make_shared<const auth::nonce_maker>(auth::secret_key_bytes());
    config->trusted_proxies = std::make_shared<const std::vector<std::string>>(std::move(keys));
    return config;
}

/// `a`, and `b`, who has to come by a proxy.
std::shared_ptr<configuration> with_users(std::vector<std::string> keys = {proxy}) {
    auto config = trusting(std::move(keys));
    auto& users = config->authorization.users;
    users["a"] = {.name = "a", .password = "a", .account = config->global_account};
    users["b"] = {.name = "b", .password = "b", .account = config->global_account};
    users["b"].proxy_required = true;
    return config;
}

std::string said(const std::string& user, const std::string& more = {}) {
    return R"("user":")" + user + R"(","pass":")" + user + '"' + more;
}
constexpr auto by_proxy = R"(,"proxy_sig":"s")";

/// Answers the question that there has to be about the proxy.
void answer(test_brokers& loop, bool is_trusted = true) {
    const auto question = loop.core().next_question();
    ASSERT_TRUE(question);
    ASSERT_TRUE(std::holds_alternative<proxy_check>(question->what));
    login_answer found{.accepted = is_trusted};
    if (is_trusted) found.proxy_key = proxy;
    loop.core().answer(question->id, std::move(found), loop.now);
    loop.flush();
}

close_reason last_reason(test_brokers& loop) {
    return loop.sessions(session_state::closed).back().reason;
}

TEST(TrustedProxy, SignsANonceAlsoWhereNobodyLogsIn) {
    test_brokers loop(trusting());
    auto& client = loop.connect();
    const auto info = loop.take(client);
    const auto nonce =
        protocol::parse_info(std::string_view(info).substr(5, info.find('\r') - 5))->nonce;
    EXPECT_EQ(nonce.size(), 15u);
    loop.send(client, "CONNECT {\"verbose\":false" + std::string(by_proxy) + "}\r\nPING\r\n");
    EXPECT_EQ(loop.take(client), "") << "nobody knows yet";
    const auto question = loop.core().next_question();
    ASSERT_TRUE(question);
    const auto& check = std::get<proxy_check>(question->what);
    EXPECT_EQ(check.nonce, nonce);
    EXPECT_EQ(check.signature, "s");
    EXPECT_EQ(*check.trusted, std::vector<std::string>{proxy});
    login_answer trusted{.accepted = true};
    trusted.proxy_key = proxy;
    loop.core().answer(question->id, trusted, loop.now);
    loop.flush();
    EXPECT_EQ(loop.take(client), "PONG\r\n");
    EXPECT_EQ(loop.sessions(session_state::open).at(0).proxy_key, proxy);
}

TEST(TrustedProxy, IsNotAskedForByWhoDoesNotComeByOne) {
    test_brokers loop(trusting());
    auto& client = loop.connect("\"echo\":false");
    loop.send(client, "PING\r\n");
    EXPECT_EQ(loop.take(client), "PONG\r\n");
    EXPECT_FALSE(loop.core().next_question());
}

TEST(TrustedProxy, OfWhomNobodyHasHeardIsRefusedBeforeAnythingElse) {
    test_brokers loop(with_users());
    auto& client = loop.connect(said("a", by_proxy));
    answer(loop, false);
    EXPECT_EQ(loop.take(client), violation);
    EXPECT_EQ(last_reason(loop), close_reason::proxy_not_trusted);
}

TEST(TrustedProxy, LetsThoseInWhoHaveToComeByOne) {
    test_brokers loop(with_users());
    auto& direct = loop.connect(said("b"));
    EXPECT_EQ(loop.take(direct), violation);
    EXPECT_EQ(last_reason(loop), close_reason::proxy_required);
    EXPECT_FALSE(loop.core().next_question());
    auto& client = loop.connect(said("b", by_proxy));
    answer(loop);
    loop.send(client, "PING\r\n");
    EXPECT_EQ(loop.take(client), "PONG\r\n");
    // Once more, also without saying it again; but not when it takes it back.
    loop.send(client, "CONNECT {\"echo\":true}\r\nPING\r\n");
    answer(loop);
    EXPECT_EQ(loop.take(client), "PONG\r\n");
    loop.send(client, "CONNECT {\"proxy_sig\":\"\"}\r\n");
    EXPECT_EQ(loop.take(client), violation);
}

TEST(TrustedProxy, IsNoSubstituteForAPassword) {
    test_brokers loop(with_users());
    auto& client = loop.connect(R"("user":"b","pass":"x")" + std::string(by_proxy));
    answer(loop);
    EXPECT_EQ(loop.take(client), violation);
    EXPECT_EQ(last_reason(loop), close_reason::authentication_failure);
}

TEST(TrustedProxy, IsWantedOfTheHolderOfATokenOrOfNobody) {
    auto config = trusting();
    config->authorization.token = "t";
    config->authorization.proxy_required = true;
    test_brokers loop(config);
    for (const auto* text : {"\"auth_token\":\"t\"", "\"auth_token\":\"x\"", "\"echo\":true"}) {
        auto& direct = loop.connect(text);
        EXPECT_EQ(loop.take(direct), violation);
        EXPECT_EQ(last_reason(loop), close_reason::proxy_required) << text;
    }
    auto& client = loop.connect(R"("auth_token":"t")" + std::string(by_proxy));
    answer(loop);
    loop.send(client, "PING\r\n");
    EXPECT_EQ(loop.take(client), "PONG\r\n");
}

TEST(TrustedProxy, IsWantedOfTheUserWithoutCredentialsToo) {
    auto config = with_users();
    config->authorization.no_auth_user = "b";
    test_brokers loop(config);
    auto& silent = loop.connect();
    loop.take(silent);
    loop.send(silent, "PING\r\n");
    EXPECT_EQ(loop.take(silent), violation);
    auto& direct = loop.connect("\"echo\":true");
    EXPECT_EQ(loop.take(direct), violation);
    EXPECT_EQ(last_reason(loop), close_reason::proxy_required);
    auto& client = loop.connect("\"echo\":true" + std::string(by_proxy));
    answer(loop);
    loop.send(client, "PING\r\n");
    EXPECT_EQ(loop.take(client), "PONG\r\n");
}

TEST(TrustedProxy, TakesItsClientsWithIt) {
    test_brokers loop(with_users());
    auto& direct = loop.connect(said("a"));
    auto& client = loop.connect(said("a", by_proxy));
    answer(loop);
    auto& undecided = loop.connect(said("b", by_proxy));
    loop.core().reconfigure(with_users({"UOTHER", proxy}), loop.now);
    loop.flush();
    answer(loop, false); // It was asked about others: once more.
    EXPECT_EQ(loop.take(undecided), "");
    loop.core().reconfigure(with_users({"UOTHER"}), loop.now);
    loop.flush();
    EXPECT_EQ(loop.take(client), violation);
    EXPECT_EQ(last_reason(loop), close_reason::proxy_not_trusted);
    loop.send(direct, "PING\r\n");
    EXPECT_EQ(loop.take(direct), "PONG\r\n");
}

TEST(TrustedProxy, IsWantedFromNowOnByAReload) {
    auto before = with_users();
    before->authorization.users["b"].proxy_required = false;
    test_brokers loop(before);
    auto& direct = loop.connect(said("b"));
    auto& client = loop.connect(said("b", by_proxy));
    answer(loop);
    loop.core().reconfigure(with_users(), loop.now);
    loop.flush();
    EXPECT_EQ(loop.take(direct), violation);
    EXPECT_EQ(last_reason(loop), close_reason::proxy_required);
    loop.send(client, "PING\r\n");
    EXPECT_EQ(loop.take(client), "PONG\r\n");
}

TEST(TrustedProxy, IsStillTrustedWhileItIsAskedAboutOnceMore) {
    test_brokers loop(with_users());
    auto& client = loop.connect(said("b", by_proxy));
    answer(loop);
    loop.send(client, "CONNECT {\"echo\":true}\r\n");
    loop.core().reconfigure(with_users(), loop.now);
    loop.flush();
    answer(loop);
    answer(loop); // It was asked under what held before: once more.
    loop.send(client, "PING\r\n");
    EXPECT_EQ(loop.take(client), "PONG\r\n");
}

TEST(TrustedProxy, DecidesWithAServiceThatDecides) {
    auto config = with_users();
    auto service = std::make_shared<callout_configuration>();
    service->account = config->global_account;
    config->authorization.callout = service;
    test_brokers loop(config);
    auto& client = loop.connect(said("b"));
    auto question = loop.core().next_question();
    ASSERT_TRUE(question);
    const auto& direct = std::get<callout_check>(question->what);
    EXPECT_TRUE(direct.lacks_proxy);
    EXPECT_FALSE(direct.by_trusted_proxy);
    loop.core().answer(question->id, login_answer::refusal("no"), loop.now);
    loop.flush();
    EXPECT_EQ(loop.take(client), violation);
    EXPECT_EQ(last_reason(loop), close_reason::proxy_required);
    loop.connect(said("b", by_proxy));
    answer(loop);
    question = loop.core().next_question();
    ASSERT_TRUE(question);
    EXPECT_FALSE(std::get<callout_check>(question->what).lacks_proxy);
    EXPECT_TRUE(std::get<callout_check>(question->what).by_trusted_proxy);
}

} // namespace
} // namespace pipit::broker
