// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/authenticator.hpp>

#include <pipit/auth/creds.hpp>
#include <pipit/auth/nkey.hpp>

#include <gtest/gtest.h>

#include <future>
#include <string>

namespace pipit::server {
namespace {

broker::login_answer answer_to(decltype(broker::login_question::what) check) {
    std::promise<broker::login_answer> promise;
    authenticator logins;
    logins.ask({.id = 7, .address = "127.0.0.1", .what = std::move(check)},
               [&](std::uint64_t id, broker::login_answer answer) {
                   EXPECT_EQ(id, 7u);
                   promise.set_value(std::move(answer));
               });
    return promise.get_future().get();
}

TEST(Authenticator, TellsWhichPasswordIsRight) {
    EXPECT_TRUE(answer_to(broker::password_check{.stored = "a", .given = "a"}).accepted);
    EXPECT_FALSE(answer_to(broker::password_check{.stored = "a", .given = "b"}).accepted);
}

TEST(Authenticator, RefusesWhatNobodyCanAnswer) {
    EXPECT_EQ(
        answer_to(broker::signature_check{.nkey = "U", .nonce = "n", .signature = ""}).why_not,
        "Signature missing");
    EXPECT_EQ(answer_to(broker::jwt_check{.jwt = "e.y.J"}).why_not, "no operator is trusted");
    EXPECT_EQ(answer_to(broker::callout_check{}).why_not, "nobody decides");
}

TEST(Authenticator, TellsWhichProxySigned) {
    const auth::nkey_seed seed{auth::nkey_prefix::user, auth::secret_key_bytes()};
    const auto key = auth::encode(auth::signing_key(seed).public_key());
    broker::proxy_check check{.trusted = std::make_shared<std::vector<std::string>>(1, key),
                              .nonce = "n",
                              .signature = auth::sign_nonce(seed, "n")};
    EXPECT_EQ(answer_to(check).proxy_key, key);
    check.signature += "==";
    EXPECT_EQ(answer_to(check).why_not, "Proxy signature not valid base64");
    check.signature = auth::sign_nonce(seed, "m");
    EXPECT_FALSE(answer_to(check).accepted);
}

} // namespace
} // namespace pipit::server
