// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nonce.hpp>
#include <pipit/base/identity_limits.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/broker/account_update.hpp>
#include <pipit/broker/detail/test_brokers.hpp>
#include <pipit/broker/tls_facts.hpp>
#include <pipit/protocol/info.hpp>

#include <gtest/gtest.h>

#include <deque>
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

TEST(Login, LeavesRoomForTheQuestionsOfOtherNetworks) {
    test_brokers loop(with_jwts());
    std::deque<test_brokers::client> clients;
    const std::string jwt(limits::connect_bytes - 200, 'j');
    // True: there is room for its question.
    const auto may_ask = [&](const std::string& address) {
        auto& made = clients.emplace_back();
        made.of = &loop.core();
        made.its_session = &made.of->open({.ip = address, .port = 1}, &made, loop.now);
        loop.send(made, connect_line("\"jwt\":\"" + jwt + "\",\"sig\":\"s\""));
        return loop.core().next_question().has_value();
    };
    int asked = 0;
    while (asked < 2000 && may_ask("2001:db8::" + std::to_string(asked))) ++asked;
    EXPECT_LT(asked, 2000);
    EXPECT_TRUE(may_ask("192.0.2.1"));
    EXPECT_TRUE(may_ask("2001:db8:0:1::1"));
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

TEST(Login, EndsSoonWhenTheClockWasSetBehindItsTime) {
    auto config = with_jwts();
    test_brokers loop(config);
    auto& client = loop.connect("\"jwt\":\"e.y.J\"");
    const auto question = loop.core().next_question();
    loop.core().answer(
        question->id, {.accepted = true, .user = somebody(*config, loop.now.wall + 10h)}, loop.now);
    loop.flush();
    loop.now.wall -= 3h; // Back and forth again: nothing is over.
    loop.pass(config->ping_interval);
    loop.now.wall += 3h;
    loop.send(client, "PONG\r\n");
    EXPECT_FALSE(client.closed);
    loop.now.wall += 10h;
    loop.take(client);
    loop.pass(config->ping_interval);
    EXPECT_EQ(loop.take(client), "-ERR 'User Authentication Expired'\r\n");
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
    EXPECT_GT(waiting, 700u);
    // Who asks seldom finds room all the same, and so does everybody when some have their answer.
    auto& other = loop.connect();
    loop.core().set_origin(*other.its_session, "10.0.0.2", 1);
    loop.take(other);
    loop.send(other, connect_line("\"jwt\":\"" + jwt + "\""));
    EXPECT_EQ(loop.take(other), "");
    while (const auto question = loop.core().next_question()) {
        loop.core().answer(question->id, {}, loop.now);
    }
    loop.flush();
    EXPECT_FALSE(loop.connect("\"jwt\":\"" + jwt + "\"").closed);
}

TEST(Login, SaysUntilWhenAnAnswerIsWanted) {
    test_brokers loop(with_jwts());
    loop.connect("\"jwt\":\"e.y.J\"");
    const auto question = loop.core().next_question();
    ASSERT_TRUE(question);
    EXPECT_EQ(question->give_up_at, loop.now.steady + limits::question_deadline);
}

std::shared_ptr<configuration> with_users() {
    auto config = open_configuration();
    for (const auto* name : {"ann", "helper"}) {
        config->authorization.users[name] = {
            .name = name, .password = name, .account = config->global_account};
    }
    return config;
}
std::shared_ptr<configuration> with_service() {
    auto config = with_users();
    auto service = std::make_shared<callout_configuration>();
    service->account = config->global_account;
    service->users = {"helper"};
    config->authorization.callout = std::move(service);
    return config;
}

TEST(Login, AsksAServiceWhateverNameStandsBesideAPassword) {
    test_brokers loop(with_service());
    for (const auto* beside : {"", ",\"nkey\":\"helper\""}) {
        loop.connect(R"("user":"ann","pass":"ann")" + std::string(beside));
        EXPECT_TRUE(loop.core().next_question()) << beside;
    }
    EXPECT_FALSE(loop.connect(R"("user":"helper","pass":"helper")").closed);
    EXPECT_TRUE(loop.connect(R"("user":"helper","pass":"wrong")").closed);
    EXPECT_FALSE(loop.core().next_question());
}

TEST(Login, TakesTheNameOfACertificateFromNobodyElse) {
    auto config = with_users();
    config->authorization.users["CN=boss"] = {
        .name = "CN=boss", .account = config->global_account, .is_certificate_identity = true};
    config->websocket.authorization = config->authorization;
    config->authorization.maps_certificates = true;
    test_brokers loop(config);
    const auto connect = [&](const std::string& options) {
        test_brokers::client made;
        made.of = &loop.core();
        made.its_session =
            &made.of->open({.ip = "127.0.0.1", .port = 1, .is_websocket = true}, &made, loop.now);
        loop.send(made, connect_line(options));
        return made.closed;
    };
    EXPECT_TRUE(connect(R"("user":"CN=boss")"));
}

TEST(Login, EndsWhoMayComeThatWayNoMoreAndWhomAServiceDecidesAboutNow) {
    test_brokers loop(with_users());
    auto& ann = loop.connect(R"("user":"ann","pass":"ann")");
    auto& helper = loop.connect(R"("user":"helper","pass":"helper")");
    auto config = with_users();
    config->authorization.users["ann"].standard_connections_allowed = false;
    loop.core().reconfigure(config, loop.now);
    loop.flush();
    EXPECT_EQ(loop.take(ann), "-ERR 'Authorization Violation'\r\n");
    loop.core().reconfigure(with_users(), loop.now);
    auto& again = loop.connect(R"("user":"ann","pass":"ann")");
    loop.core().reconfigure(with_service(), loop.now);
    loop.flush();
    EXPECT_TRUE(again.closed);
    EXPECT_FALSE(helper.closed);
}

TEST(Login, LimitsWhatIsRememberedOfThoseWhoWent) {
    test_brokers loop(with_users());
    const std::string name(60 * 1024, 'n');
    for (int i = 0; i < 600; ++i) {
        EXPECT_TRUE(loop.connect(R"("user":"ann","pass":"x","name":")" + name + "\"").closed);
    }
    loop.connect(R"("user":"ann","pass":"x","name":"the last")");
    const auto closed = loop.sessions(session_state::closed);
    EXPECT_LT(closed.size() * name.size(), limits::closed_clients_bytes);
    EXPECT_GT(closed.size(), 400u);
    EXPECT_EQ(closed.back().name, "the last");
}

TEST(Login, ReadsStrangersInSmallPieces) {
    test_brokers loop(with_users());
    auto& stranger = loop.connect();
    EXPECT_EQ(loop.core().read_bytes_max(*stranger.its_session), limits::stranger_read_bytes);
    auto& ann = loop.connect(R"("user":"ann","pass":"ann")");
    EXPECT_GT(loop.core().read_bytes_max(*ann.its_session), limits::stranger_read_bytes);
}

TEST(Login, HasItsTimeWhenNoHandshakeCame) {
    auto config = with_users();
    test_brokers loop(config);
    test_brokers::client made;
    made.of = &loop.core();
    made.its_session =
        &made.of->open({.ip = "127.0.0.1", .port = 1, .shakes_hands = true}, &made, loop.now);
    loop.pass(config->auth_timeout);
    EXPECT_FALSE(made.closed);
    loop.core().goes_without_tls(*made.its_session, loop.now);
    loop.flush();
    loop.take(made);
    loop.pass(config->auth_timeout);
    EXPECT_EQ(loop.take(made), "-ERR 'Authentication Timeout'\r\n");
}

TEST(Login, GreetsAfterAHandshakeThatComesFirstOrInsteadOfIt) {
    auto config = open_configuration();
    config->tls_available = true;
    test_brokers loop(config);
    std::deque<test_brokers::client> clients(2);
    for (auto& each : clients) {
        each.of = &loop.core();
        each.its_session = &each.of->open(
            {.ip = "127.0.0.1", .port = 1, .shakes_hands = true, .shakes_hands_first = true}, &each,
            loop.now);
        loop.flush();
        EXPECT_EQ(loop.take(each), "");
    }
    loop.core().secured(*clients[0].its_session, {.before_info = true}, loop.now);
    loop.core().greet(*clients[1].its_session);
    loop.flush();
    for (auto& each : clients) {
        const auto told = loop.take(each);
        const auto info = protocol::parse_info(std::string_view(told).substr(5));
        ASSERT_TRUE(info) << told;
        EXPECT_TRUE(info->tls_available);
        EXPECT_EQ(info->tls_required, &each == &clients[0]);
    }
}

TEST(Login, GreetsASecureWebSocketOnce) {
    test_brokers loop;
    test_brokers::client client{.of = &loop.core()};
    client.its_session =
        &loop.core().open({.ip = "127.0.0.1", .port = 1, .is_websocket = true}, &client, loop.now);
    loop.core().secured(*client.its_session, {.before_info = true}, loop.now);
    loop.flush();
    const auto told = loop.take(client);
    EXPECT_EQ(told.rfind("INFO "), 0u) << told;
}

TEST(Login, SaysHowLongAConnectMayBe) {
    test_brokers loop(with_jwts());
    auto& client = loop.connect("\"jwt\":\"" + std::string(limits::connect_bytes, 'x') + "\"");
    EXPECT_EQ(loop.take(client), "-ERR 'maximum control line exceeded (65536 bytes)'\r\n");
}

} // namespace
} // namespace pipit::broker
