// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/creds.hpp>
#include <pipit/auth/error.hpp>
#include <pipit/auth/nkey.hpp>
#include <pipit/auth/test_tokens.hpp>
#include <pipit/client/blocking_connection.hpp>
#include <pipit/client/credentials.hpp>
#include <pipit/server/embedded_server.hpp>
#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <unistd.h>

namespace pipit::client {
namespace {

using auth::nkey_prefix;
using auth::test_key;

const test_key the_operator(nkey_prefix::operator_key, 1);
const test_key the_account(nkey_prefix::account, 2);
const test_key the_user(nkey_prefix::user, 3);
const test_key another_user(nkey_prefix::user, 4);

std::unique_ptr<server::embedded_server> with_nkey() {
    return server::embedded_server::start(
               {.configuration = "authorization { users [ {nkey: " + the_user.text() + "} ] }"})
        .value();
}
std::unique_ptr<server::embedded_server> with_operator() {
    const auto token =
        the_operator.issue(the_operator.text(), R"("nats":{"type":"operator","version":2})");
    const auto account = the_operator.issue_account(the_account.text(), auth::no_account_limits);
    return server::embedded_server::start(
               {.configuration = "operator: " + token + "\nresolver: MEMORY\nresolver_preload: { " +
                                 the_account.text() + ": " + account + " }"})
        .value();
}

std::string creds_text(const std::string& jwt, const test_key& user) {
    return "-----BEGIN NATS USER JWT-----\n" + jwt + "\n------END NATS USER JWT------\n\n" +
           "-----BEGIN USER NKEY SEED-----\n" + auth::encode(user.seed()) +
           "\n------END USER NKEY SEED------\n";
}

/// Empty: it came in.
std::string complaint(const std::unique_ptr<server::embedded_server>& server,
                      credentials_function who) {
    blocking_connection nats(
        {.servers = {server->url()}, .credentials_provider = std::move(who), .reconnect = false});
    if (const auto made = nats.connect(); !made) return made.error().message();
    const auto flushed = nats.flush();
    return flushed ? "" : flushed.error().message();
}

class Credentials : public ::testing::Test {
protected:
    std::string write(const std::string& name, const std::string& text) {
        const auto path = folder_ + "/" + name;
        std::ofstream(path) << text;
        return path;
    }
    const support::temporary_folder made_;
    std::string folder_ = made_.path();
};

TEST_F(Credentials, OfASeedOpenAServerThatKnowsItsKey) {
    const auto server = with_nkey();
    EXPECT_EQ(complaint(server, sign_in_with_seed(auth::encode(the_user.seed())).value()), "");
    EXPECT_NE(complaint(server, sign_in_with_seed(auth::encode(another_user.seed())).value()), "");
    const auto path = write("me.nk", auth::encode(the_user.seed()) + "\n");
    EXPECT_EQ(complaint(server, sign_in_with_seed_file(path).value()), "");
}

TEST_F(Credentials, OfAFileOpenAServerWithAnOperatorAndMayBeRenewed) {
    const auto server = with_operator();
    const auto expired = the_account.issue_user(the_user.text(), {}, R"("exp":1000)");
    const auto path = write("me.creds", creds_text(expired, the_user));
    const auto who = sign_in_with_creds_file(path).value();
    EXPECT_NE(complaint(server, who), "");
    write("me.creds", creds_text(the_account.issue_user(the_user.text()), the_user));
    EXPECT_EQ(complaint(server, who), "");
}

TEST_F(Credentials, MayBeSignedBySomebodyElse) {
    const auto server = with_operator();
    const auto who = sign_in_with_jwt([] { return the_account.issue_user(the_user.text()); },
                                      [](std::string_view nonce) {
                                          const auto signature = the_user.key().sign(nonce);
                                          return std::string(signature.begin(), signature.end());
                                      });
    EXPECT_EQ(complaint(server, who), "");
}

TEST_F(Credentials, ThatCannotBeReadAreNamedWithoutTheirSecret) {
    const auto missing = sign_in_with_creds_file(folder_ + "/none.creds");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error(), auth::errc::invalid_creds);
    EXPECT_NE(missing.error().message().find("none.creds: no such file"), std::string::npos);
    const auto seed = auth::encode(the_user.seed());
    const auto path = write("broken.creds", "-----a-----\n" + seed + "\n-----b-----\n");
    const auto broken = sign_in_with_creds_file(path);
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().message().find("broken.creds"), std::string::npos);
    EXPECT_EQ(broken.error().message().find(seed), std::string::npos);
    EXPECT_FALSE(sign_in_with_seed("SUABC"));
    // The secret itself in place of its file, also with a letter missing, and a JWT.
    for (const auto& secret :
         {seed, seed.substr(0, 57), "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.e30." + seed}) {
        for (const auto& mistaken :
             {sign_in_with_creds_file(secret), sign_in_with_seed_file(secret)}) {
            ASSERT_FALSE(mistaken);
            EXPECT_EQ(mistaken.error().message().find(seed.substr(0, 40)), std::string::npos);
        }
    }
}

} // namespace
} // namespace pipit::client
