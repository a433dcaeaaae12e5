// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/creds.hpp>
#include <pipit/auth/permissions.hpp>
#include <pipit/auth/test_tokens.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/jwt_authority.hpp>

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <optional>
#include <string>

namespace pipit::server {
namespace {

using auth::nkey_prefix;
using auth::test_key;

const test_key the_operator(nkey_prefix::operator_key, 1);
const test_key the_account(nkey_prefix::account, 2);
const test_key the_user(nkey_prefix::user, 3);
constexpr auto nonce = "0123456789abcde";

/// Accounts that a test says, and how often each was asked for.
class counting_resolver final : public account_resolver {
public:
    explicit counting_resolver(std::map<std::string, std::string>& jwts, int& asked)
        : jwts_(jwts), asked_(asked) {}
    void fetch(const std::string& account, answer then) override {
        ++asked_;
        const auto found = jwts_.find(account);
        if (found == jwts_.end()) return then(error(errc::no_account, "account missing"));
        then(found->second);
    }
    [[nodiscard]] result<> store(const std::string&, const std::string&) override { return {}; }

private:
    std::map<std::string, std::string>& jwts_;
    int& asked_;
};

std::string account_token(const std::string& more = {}, std::int64_t issued_at = 1'700'000'000) {
    return the_operator.issue(the_account.text(),
                              R"("name":"A","nats":{)" + auth::no_account_limits +
                                  (more.empty() ? "" : "," + more) +
                                  R"(,"type":"account","version":2})",
                              issued_at);
}

/// An authority that trusts the operator, and what it told the loops.
struct world {
    world() {
        operator_trust trust;
        trust.keys.insert(the_operator.text());
        authority.emplace(std::move(trust), std::make_unique<counting_resolver>(jwts, asked),
                          authority_surroundings{numbers, thread,
                                                 [this](broker::account_update update, auto done) {
                                                     ++put;
                                                     last = std::move(update);
                                                     done();
                                                 },
                                                 logger()});
    }
    ~world() { thread.stop(); }

    broker::login_answer judge(const std::string& jwt, const std::string& signature) {
        std::promise<broker::login_answer> promise;
        auto answer = promise.get_future();
        thread.post([&] {
            broker::login_question question;
            question.address = "127.0.0.1";
            question.what = broker::jwt_check{.jwt = jwt, .nonce = nonce, .signature = signature};
            authority->judge(std::move(question), [&](broker::login_answer found) {
                promise.set_value(std::move(found));
            });
        });
        return answer.get();
    }
    broker::login_answer judge(const std::string& jwt) {
        return judge(jwt, auth::sign_nonce(the_user.seed(), nonce));
    }

    std::map<std::string, std::string> jwts{{the_account.text(), account_token()}};
    int asked = 0;
    int put = 0;
    broker::account_update last;
    account_numbers numbers;
    task_thread thread{"test"};
    std::optional<jwt_authority> authority;
};

TEST(JwtAuthority, LetsInWhomTheOperatorAnswersFor) {
    world its;
    const auto token = the_account.issue_user(the_user.text(), R"("pub":{"allow":["a"]})");
    const auto answer = its.judge(token);
    ASSERT_TRUE(answer.accepted) << answer.why_not;
    EXPECT_EQ(answer.user->name, the_user.text());
    EXPECT_EQ(answer.user->account, its.last.config->id);
    EXPECT_FALSE(answer.user->permissions->may_publish("b"));
    EXPECT_EQ(its.last.config->name, the_account.text());
    // Who comes with the same JWT again shares what was made of it.
    EXPECT_EQ(its.judge(token).user, answer.user);
    EXPECT_EQ(its.asked, 1);
    EXPECT_EQ(its.put, 1);
}

TEST(JwtAuthority, AsksForTheSignatureAlsoOfAJwtThatItKnows) {
    world its;
    const auto token = the_account.issue_user(the_user.text());
    EXPECT_TRUE(its.judge(token).accepted);
    EXPECT_EQ(its.judge(token, "").why_not, "Signature missing");
    EXPECT_EQ(its.judge(token, auth::sign_nonce(the_user.seed(), "another")).why_not,
              "Signature not verified");
}

TEST(JwtAuthority, ObeysANewerAccountAlsoForAJwtThatItKnows) {
    world its;
    const auto token = the_account.issue_user(the_user.text());
    const auto before = its.judge(token);
    ASSERT_TRUE(before.accepted);
    const auto revoking =
        account_token(R"("revocations":{")" + the_user.text() + R"(":1800000000})");
    EXPECT_TRUE(its.authority->update(the_account.text(), revoking));
    EXPECT_EQ(its.judge(token).why_not, "User authentication revoked");
    using fate = broker::session_verdict::fate;
    EXPECT_EQ(its.last.judge(*before.user).what, fate::is_revoked);
    EXPECT_TRUE(its.authority->update(the_account.text(), account_token()));
    EXPECT_TRUE(its.judge(token).accepted);
    EXPECT_EQ(its.last.judge(*before.user).what, fate::stays);
    its.authority->forget(the_account.text());
    EXPECT_EQ(its.last.judge(*before.user).what, fate::account_is_gone);
}

TEST(JwtAuthority, RefusesAnUpdateThatNobodySigned) {
    world its;
    ASSERT_TRUE(its.judge(the_account.issue_user(the_user.text())).accepted);
    const test_key stranger(nkey_prefix::operator_key, 9);
    EXPECT_FALSE(its.authority->update(
        the_account.text(), stranger.issue_account(the_account.text(), auth::no_account_limits)));
    EXPECT_FALSE(its.authority->update(the_account.text(), "x"));
    EXPECT_EQ(its.put, 1);
}

TEST(JwtAuthority, DoesNotAskAgainAndAgainForAnAccountThatIsNotThere) {
    world its;
    const test_key nobody(nkey_prefix::account, 7);
    const auto token = nobody.issue_user(the_user.text());
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(its.judge(token).why_not, "Account JWT lookup error: account missing");
    }
    EXPECT_LT(its.asked, 3);
}

} // namespace
} // namespace pipit::server
