// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nonce.hpp>
#include <pipit/base/identity_limits.hpp>
#include <pipit/broker/account_update.hpp>
#include <pipit/broker/detail/test_brokers.hpp>
#include <pipit/protocol/info.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pipit::broker {
namespace {

using namespace std::chrono_literals;

/// As a driver that never checks anything: the tests answer.
constexpr auto key = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

std::shared_ptr<configuration> with_nkey() {
    auto config = open_configuration();
    config->identity.nonces = std::make_shared<const auth::nonce_maker>(auth::secret_key_bytes());
    config->authorization.nkeys[key] = {
        .name = key, .account = config->global_account, .nkey = key};
    return config;
}
std::shared_ptr<configuration> with_jwts() {
    auto config = open_configuration();
    config->identity.nonces = std::make_shared<const auth::nonce_maker>(auth::secret_key_bytes());
    config->authorization.by_jwt = true;
    return config;
}

std::string nonce_in(const std::string& info) {
    const auto end = info.find('\r');
    const auto read = protocol::parse_info(std::string_view(info).substr(5, end - 5));
    return read ? read->nonce : "unreadable";
}

user_pointer somebody(const configuration& config, std::optional<wall_time> expires = {}) {
    auto user = std::make_shared<user_configuration>();
    user->name = user->nkey = key;
    user->account = config.global_account;
    user->expires = expires;
    return user;
}

std::string connect_line(const std::string& options) {
    return "CONNECT {\"verbose\":false,\"pedantic\":false," + options + "}\r\n";
}

TEST(Login, AsksWhetherTheHolderOfANkeySignedTheNonceOfThisConnection) {
    test_brokers loop(with_nkey());
    auto& client = loop.connect();
    const auto nonce = nonce_in(loop.take(client));
    EXPECT_EQ(nonce.size(), 15u);
    loop.send(client,
              connect_line("\"nkey\":\"" + std::string(key) + "\",\"sig\":\"s\"") + "PING\r\n");
    const auto question = loop.core().next_question();
    ASSERT_TRUE(question);
    const auto& check = std::get<signature_check>(question->what);
    EXPECT_EQ(check.nkey, key);
    EXPECT_EQ(check.nonce, nonce);
    EXPECT_EQ(check.signature, "s");
    EXPECT_EQ(question->address, "127.0.0.1");
    EXPECT_EQ(loop.take(client), "");
    loop.core().answer(question->id, {.accepted = true, .user = question->user}, loop.now);
    loop.flush();
    EXPECT_EQ(loop.take(client), "PONG\r\n");
    EXPECT_EQ(loop.sessions(session_state::open).at(0).user, key);
    EXPECT_NE(nonce_in(loop.connect().received), nonce);
}

TEST(Login, RefusesAnUnknownNkeyAtOnce) {
    test_brokers loop(with_nkey());
    auto& client = loop.connect("\"nkey\":\"UNKNOWN\",\"sig\":\"s\"");
    EXPECT_EQ(loop.take(client), "-ERR 'Authorization Violation'\r\n");
    EXPECT_FALSE(loop.core().next_question());
}

TEST(Login, LetsTheUserWithoutCredentialsInAlsoWhenItHasAnNkey) {
    auto config = with_nkey();
    config->authorization.no_auth_user = key;
    test_brokers loop(config);
    auto& client = loop.connect("\"protocol\":1");
    loop.send(client, "PING\r\n");
    EXPECT_NE(loop.take(client).find("PONG"), std::string::npos);
    auto& silent = loop.connect();
    loop.take(silent);
    loop.send(silent, "PING\r\n");
    EXPECT_EQ(loop.take(silent), "PONG\r\n");
}

TEST(Login, HasNoNonceWhereNobodySigns) {
    test_brokers loop;
    EXPECT_EQ(nonce_in(loop.connect().received), "");
}

TEST(Login, AnswersAboutAJwtSayWhoItIs) {
    auto config = with_jwts();
    test_brokers loop(config);
    auto& client = loop.connect("\"jwt\":\"e.y.J\",\"sig\":\"s\",\"protocol\":1");
    loop.send(client, "PING\r\n");
    const auto question = loop.core().next_question();
    ASSERT_TRUE(question);
    EXPECT_EQ(std::get<jwt_check>(question->what).jwt, "e.y.J");
    loop.core().answer(question->id, {.accepted = true, .user = somebody(*config)}, loop.now);
    loop.flush();
    EXPECT_NE(loop.take(client).find("\"remote_account\":\"$G\""), std::string::npos);
    // A second CONNECT need not prove it again, unless it says that it is somebody else.
    loop.send(client, connect_line("\"echo\":false") + "PING\r\n");
    EXPECT_EQ(loop.take(client), "PONG\r\n");
    loop.send(client, connect_line("\"jwt\":\"o.t.h\"") + "PING\r\n");
    ASSERT_TRUE(loop.core().next_question());
}

TEST(Login, RefusesWithoutSayingWhy) {
    test_brokers loop(with_jwts());
    auto& client = loop.connect("\"jwt\":\"e.y.J\"");
    const auto question = loop.core().next_question();
    ASSERT_TRUE(question);
    loop.core().answer(question->id, login_answer::refusal("it is Monday"), loop.now);
    loop.flush();
    EXPECT_EQ(loop.take(client), "-ERR 'Authorization Violation'\r\n");
    EXPECT_EQ(loop.sessions(session_state::closed).at(0).reason,
              close_reason::authentication_failure);
}

TEST(Login, EndsWhenTheTimeOfTheUserIsOver) {
    auto config = with_jwts();
    test_brokers loop(config);
    auto& client = loop.connect("\"jwt\":\"e.y.J\"");
    const auto question = loop.core().next_question();
    loop.core().answer(
        question->id, {.accepted = true, .user = somebody(*config, loop.now.wall + 30h)}, loop.now);
    for (int hour = 0; hour < 29; ++hour) {
        loop.pass(1h);
        loop.send(client, "PONG\r\n");
    }
    EXPECT_FALSE(client.closed);
    loop.take(client);
    loop.pass(1h);
    EXPECT_EQ(loop.take(client), "-ERR 'User Authentication Expired'\r\n");
    EXPECT_EQ(loop.sessions(session_state::closed).at(0).reason,
              close_reason::authentication_expired);
}

TEST(Login, IsRefusedWhenTooManyWait) {
    test_brokers loop(with_jwts());
    const std::string jwt(60 * 1024, 'x');
    std::size_t waiting = 0;
    for (; waiting * jwt.size() <= limits::open_login_bytes; ++waiting) {
        auto& client = loop.connect("\"jwt\":\"" + jwt + "\"");
        if (!client.closed) continue;
        EXPECT_EQ(loop.take(client), "-ERR 'Authorization Violation'\r\n");
        break;
    }
    EXPECT_LT(waiting * jwt.size(), limits::open_login_bytes);
    EXPECT_GT(waiting, 1000u);
}

TEST(Login, SaysHowLongAConnectMayBe) {
    test_brokers loop(with_jwts());
    auto& client = loop.connect("\"jwt\":\"" + std::string(limits::connect_bytes, 'x') + "\"");
    EXPECT_EQ(loop.take(client), "-ERR 'maximum control line exceeded (65536 bytes)'\r\n");
}

} // namespace
} // namespace pipit::broker
