// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/auth_callout.hpp>

#include <support/client_world.hpp>

#include <gtest/gtest.h>

#include <future>
#include <string>

namespace {

using namespace pipit;
using namespace pipit::client;

auth::nkey_seed seed_of(auth::nkey_prefix prefix, std::uint8_t number) {
    auth::key_bytes bytes{};
    bytes.fill(number);
    return {prefix, auth::secret_key_bytes(bytes)};
}

const auto server_seed = seed_of(auth::nkey_prefix::server, 1);
const auto issuer_seed = seed_of(auth::nkey_prefix::account, 2);
const auto user_key =
    auth::encode(auth::signing_key(seed_of(auth::nkey_prefix::user, 3)).public_key());
const wall_time now{std::chrono::seconds(1000)};

std::string request_of(const std::string& user, bool is_refresh = false) {
    const auth::signing_key server(server_seed);
    auth::authorization_request_jwt request;
    request.server.id = auth::encode(server.public_key());
    request.user_nkey = user_key;
    request.options.user = user;
    request.is_refresh = is_refresh;
    return auth::encode(request, server);
}

admission decide(const auth::authorization_request_jwt& request) {
    if (request.options.user != "alice") return refused_user{"who is that?"};
    admitted_user user{.account = "APP", .name = "Alice"};
    user.permissions.publish_allow = {"a"};
    user.valid_for = std::chrono::seconds(60);
    user.refresh_after = std::chrono::seconds(request.is_refresh ? 20 : 10);
    return user;
}

TEST(AuthCallout, LetsInAndRefusesAsItIsTold) {
    const callout_answerer answerer({.issuer = issuer_seed}, decide);
    const auto yes = answerer.answer({}, request_of("alice"), now, {});
    ASSERT_TRUE(yes) << yes.error().message();
    const auto response = auth::decode_authorization_response_jwt(*yes);
    ASSERT_TRUE(response);
    EXPECT_EQ(auth::problem_of(*response), "");
    EXPECT_EQ(response->subject, user_key);
    const auto user = auth::decode_user_jwt(response->user_jwt);
    ASSERT_TRUE(user);
    EXPECT_EQ(user->subject, user_key);
    EXPECT_EQ(user->audience, "APP");
    EXPECT_EQ(user->name, "Alice");
    EXPECT_EQ(user->expires, 1060);
    EXPECT_EQ(user->rights.permissions.publish_allow, std::vector<std::string>{"a"});

    EXPECT_EQ(response->refresh_seconds, 10);
    const auto again = answerer.answer({}, request_of("alice", true), now, {});
    ASSERT_TRUE(again);
    EXPECT_EQ(auth::decode_authorization_response_jwt(*again)->refresh_seconds, 20);

    const auto no = answerer.answer({}, request_of("mallory"), now, {});
    ASSERT_TRUE(no);
    EXPECT_EQ(auth::decode_authorization_response_jwt(*no)->problem, "who is that?");
}

TEST(AuthCallout, AnswersNobodyButAServer) {
    const callout_answerer answerer({.issuer = issuer_seed}, decide);
    EXPECT_FALSE(answerer.answer({}, "", now, {}));
    EXPECT_FALSE(answerer.answer({}, "nonsense", now, {}));
    auth::authorization_request_jwt request;
    request.user_nkey = user_key;
    const auth::signing_key not_a_server(issuer_seed);
    EXPECT_FALSE(answerer.answer({}, auth::encode(request, not_a_server), now, {}));
}

TEST(AuthCallout, SealsForTheServerThatSealed) {
    const auto own = seed_of(auth::nkey_prefix::curve, 4);
    const auth::curve_key server(seed_of(auth::nkey_prefix::curve, 5));
    const callout_answerer answerer({.issuer = issuer_seed, .xkey = own}, decide);
    const auto sealed =
        auth::seal(server, auth::curve_key(own).public_key(), request_of("alice"), {});
    const auto headers =
        "NATS/1.0\r\nNats-Server-Xkey: " + auth::encode(server.public_key()) + "\r\n\r\n";
    const auto answer = answerer.answer(headers, *sealed, now, {});
    ASSERT_TRUE(answer) << answer.error().message();
    const auto opened = auth::open(server, auth::curve_key(own).public_key(), *answer);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(auth::decode_authorization_response_jwt(*opened));

    EXPECT_FALSE(answerer.answer({}, request_of("alice"), now, {}));
    EXPECT_FALSE(answerer.answer(headers, request_of("alice"), now, {}));
    const callout_answerer open({.issuer = issuer_seed}, decide);
    EXPECT_FALSE(open.answer(headers, *sealed, now, {}));
}

TEST(AuthCallout, TellsOfRequestsThatItCannotAnswer) {
    const auto server = support::start_server();
    std::promise<error> told;
    connection_options options{.servers = {server->url()}};
    options.on_event = [&](const connection_event& what) {
        const auto* const failed = std::get_if<event::asynchronous_error>(&what);
        if (failed) told.set_value(failed->why);
    };
    blocking_connection nats(std::move(options));
    nats.connect().value();
    const auto served = serve_auth_callout(nats, {.issuer = issuer_seed}, decide).value();
    nats.publish(auth::callout_subject, "nonsense").value();
    auto is_told = told.get_future();
    ASSERT_EQ(is_told.wait_for(support::patience), std::future_status::ready);
    EXPECT_NE(is_told.get().message().find("a request for an auth callout"), std::string::npos);
}

} // namespace
