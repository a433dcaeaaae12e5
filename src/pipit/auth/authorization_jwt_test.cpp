// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/authorization_jwt.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace pipit;
using namespace pipit::auth;

nkey_seed seed_of(nkey_prefix prefix, std::uint8_t number) {
    key_bytes bytes{};
    bytes.fill(number);
    return {prefix, secret_key_bytes(bytes)};
}

std::string key_text(nkey_prefix prefix, std::uint8_t number) {
    return encode(signing_key(seed_of(prefix, number)).public_key());
}

authorization_request_jwt a_request() {
    authorization_request_jwt request;
    request.subject = key_text(nkey_prefix::account, 2);
    request.audience = callout_audience;
    request.issued_at = 100;
    request.expires = 102;
    request.server = {"one", "127.0.0.1", key_text(nkey_prefix::server, 1), "2.15.2", "",
                      "X",   {"a"}};
    request.user_nkey = key_text(nkey_prefix::user, 3);
    request.client.host = "127.0.0.1";
    request.client.id = 7;
    request.client.kind = "Client";
    request.options.user = "alice";
    request.options.password = "wonder";
    request.options.protocol = 1;
    request.tls = asking_tls{"1.3", "TLS_AES_128_GCM_SHA256", {}, {{"one", "two"}}};
    return request;
}

TEST(AuthorizationJwt, RequestsAreReadAsTheyWereWritten) {
    const signing_key server(seed_of(nkey_prefix::server, 1));
    const auto read = decode_authorization_request_jwt(encode(a_request(), server));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->issuer, key_text(nkey_prefix::server, 1));
    EXPECT_EQ(read->audience, callout_audience);
    EXPECT_EQ(read->expires, 102);
    EXPECT_EQ(read->server.id, key_text(nkey_prefix::server, 1));
    EXPECT_EQ(read->server.tags, std::vector<std::string>{"a"});
    EXPECT_EQ(read->user_nkey, key_text(nkey_prefix::user, 3));
    EXPECT_EQ(read->client.id, 7u);
    EXPECT_EQ(read->options.password, "wonder");
    ASSERT_TRUE(read->tls);
    EXPECT_EQ(read->tls->verified_chains.at(0).at(1), "two");
    EXPECT_EQ(read->id.size(), 52u);
}

TEST(AuthorizationJwt, AServiceMayBeAskedAgain) {
    const signing_key server(seed_of(nkey_prefix::server, 1));
    EXPECT_FALSE(decode_authorization_request_jwt(encode(a_request(), server))->is_refresh);
    auto request = a_request();
    request.is_refresh = true;
    EXPECT_TRUE(decode_authorization_request_jwt(encode(request, server))->is_refresh);
    EXPECT_NE(to_json(request).find(R"("refresh":true)"), std::string::npos);
    EXPECT_EQ(read_authorization_answer(R"({"account":"A","refresh_seconds":9})")->refresh_seconds,
              9);
    EXPECT_EQ(read_authorization_answer(R"({"account":"A"})")->rights.subscriptions, -1);
    // What other servers do not look at spoils no answer.
    const signing_key account(seed_of(nkey_prefix::account, 2));
    const auto refresh_of = [&](const std::string& value) {
        const auto token = sign_jwt(R"({"iss":")" + encode(account.public_key()) +
                                        R"(","nats":{"type":"authorization_response","version":2,)"
                                        R"("refresh":)" +
                                        value + "}}",
                                    account);
        return decode_authorization_response_jwt(token)->refresh_seconds;
    };
    EXPECT_EQ(refresh_of("9"), 9);
    EXPECT_EQ(refresh_of("\"soon\""), 0);
    EXPECT_EQ(refresh_of("1e300"), 0);
}

TEST(AuthorizationJwt, OnlyServersAskAndOnlyAccountsAnswer) {
    const signing_key account(seed_of(nkey_prefix::account, 2));
    const signing_key server(seed_of(nkey_prefix::server, 1));
    EXPECT_FALSE(decode_authorization_request_jwt(encode(a_request(), account)));
    authorization_response_jwt response;
    response.problem = "no";
    EXPECT_TRUE(decode_authorization_response_jwt(encode(response, account)));
    EXPECT_FALSE(decode_authorization_response_jwt(encode(response, server)));
}

TEST(AuthorizationJwt, SaysWhatIsWrongWithAnAnswer) {
    authorization_response_jwt response;
    EXPECT_EQ(problem_of(response), "Subject must be a user public key");
    response.subject = key_text(nkey_prefix::user, 3);
    EXPECT_EQ(problem_of(response), "Audience must be a server public key");
    response.audience = key_text(nkey_prefix::server, 1);
    EXPECT_EQ(problem_of(response), "Error or Jwt is required");
    response.problem = "no";
    EXPECT_EQ(problem_of(response), "");
    response.user_jwt = "x";
    EXPECT_EQ(problem_of(response), "Only Error or Jwt can be set");
}

TEST(AuthorizationJwt, UsersAreReadAsTheyWereWritten) {
    const signing_key account(seed_of(nkey_prefix::account, 2));
    user_jwt user;
    user.subject = key_text(nkey_prefix::user, 3);
    user.audience = "APP";
    user.name = "alice";
    user.rights.permissions.publish_allow = {"a.>"};
    user.rights.permissions.subscribe_deny = {"b", "c q"};
    user.rights.permissions.allow_responses = response_permission{2, std::chrono::seconds(3)};
    user.rights.subscriptions = 5;
    user.rights.payload = -1;
    user.rights.times = {{std::chrono::hours(8), std::chrono::hours(17)}};
    user.rights.connection_types = {"STANDARD"};
    const auto read = decode_user_jwt(encode(user, account));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->name, "alice");
    EXPECT_EQ(read->audience, "APP");
    EXPECT_EQ(read->rights, user.rights);
}

TEST(AuthorizationJwt, ReadsAnAnswerInJson) {
    const auto read =
        read_authorization_answer(R"({"account":"APP","name":"bob","valid_seconds":60,)"
                                  R"("user":{"pub":{"deny":["secret.>"]},"subs":3}})");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->account, "APP");
    EXPECT_EQ(read->valid_seconds, 60);
    EXPECT_EQ(read->rights.permissions.publish_deny, std::vector<std::string>{"secret.>"});
    EXPECT_EQ(read->rights.subscriptions, 3);
    EXPECT_EQ(read->rights.payload, -1);
    EXPECT_EQ(read_authorization_answer(R"({"error":"no"})")->problem, "no");
    for (const auto* const wrong : {"", "[]", "{", R"({"account":1})", R"({"user":{"pub":7}})"}) {
        EXPECT_FALSE(read_authorization_answer(wrong)) << wrong;
    }
}

} // namespace
