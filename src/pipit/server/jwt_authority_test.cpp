// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/creds.hpp>
#include <pipit/auth/permissions.hpp>
#include <pipit/auth/test_tokens.hpp>
#include <pipit/base/identity_limits.hpp>
#include <pipit/broker/broker.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/callout_answer.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/jwt_authority.hpp>

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pipit::server {
namespace {

using auth::nkey_prefix;
using auth::test_key;

const test_key the_operator(nkey_prefix::operator_key, 1);
const test_key the_account(nkey_prefix::account, 2);
const test_key the_user(nkey_prefix::user, 3);
constexpr auto nonce = "0123456789abcde";
/// Among an account's `nats`: no token of the user counts any more.
const std::string revoking = R"("revocations":{")" + the_user.text() + R"(":1800000000})";

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
    [[nodiscard]] result<> store(const std::string& account, const std::string& jwt) override {
        jwts_[account] = jwt;
        return {};
    }

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
    explicit world(bool live_permissions = false) {
        accounts.emplace(trust(), std::make_unique<counting_resolver>(jwts, asked),
                         account_dependencies{numbers, thread,
                                              [this](broker::account_update update, auto done) {
                                                  ++put;
                                                  last = std::move(update);
                                                  done();
                                              },
                                              logger(),
                                              [live_permissions] { return live_permissions; }});
        authority.emplace(*accounts);
    }
    ~world() { thread.stop(); }

    static operator_trust trust() {
        operator_trust trust;
        trust.keys.insert(the_operator.text());
        return trust;
    }
    broker::login_answer judge(const std::string& jwt, const std::string& signature,
                               const std::function<void()>& what = {}) {
        std::promise<broker::login_answer> promise;
        auto answer = promise.get_future();
        thread.post([&, meanwhile = what] {
            broker::login_question question;
            question.address = "127.0.0.1";
            question.what = broker::jwt_check{.jwt = jwt, .nonce = nonce, .signature = signature};
            authority->judge(std::move(question), [&](broker::login_answer found) {
                promise.set_value(std::move(found));
            });
            if (meanwhile) meanwhile();
        });
        return answer.get();
    }
    /// `what` happens when the account was asked for, and before its answer is heard.
    broker::login_answer judge_while(const std::function<void()>& what) {
        return judge(the_account.issue_user(the_user.text()),
                     auth::sign_nonce(the_user.seed(), nonce), what);
    }
    broker::login_answer judge(const std::string& jwt) {
        return judge(jwt, auth::sign_nonce(the_user.seed(), nonce));
    }

    /// Runs it on the accounts' thread, with what follows from it there.
    void run(const std::function<void()>& what) {
        for (const auto& each : {what, std::function<void()>([] {})}) {
            std::promise<void> done;
            thread.post([&] {
                each();
                done.set_value();
            });
            done.get_future().wait();
        }
    }
    [[nodiscard]] bool update(const test_key& account, const std::string& jwt) {
        bool is_good = false;
        run([&] { is_good = accounts->update(account.text(), jwt).has_value(); });
        return is_good;
    }

    broker::session_verdict judge_session(const broker::user_configuration& user,
                                          const std::string& ip = "127.0.0.1") const {
        broker::session_origin from;
        from.ip = ip;
        return last.judge(user, from, net::wall_now());
    }

    std::map<std::string, std::string> jwts{{the_account.text(), account_token()}};
    int asked = 0;
    int put = 0;
    broker::account_update last;
    account_numbers numbers;
    task_thread thread{"test"};
    std::optional<known_accounts> accounts;
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
    EXPECT_TRUE(its.update(the_account, account_token(revoking)));
    EXPECT_EQ(its.judge(token).why_not, "User authentication revoked");
    using fate = broker::session_verdict::fate;
    EXPECT_EQ(its.judge_session(*before.user).what, fate::is_revoked);
    EXPECT_TRUE(its.update(the_account, account_token()));
    EXPECT_TRUE(its.judge(token).accepted);
    EXPECT_EQ(its.judge_session(*before.user).what, fate::stays);
    its.run([&] { its.accounts->forget(the_account.text()); });
    EXPECT_EQ(its.judge_session(*before.user).what, fate::account_is_gone);
}

// --- What overtakes an account that is being fetched ---

TEST(JwtAuthority, ObeysAnUpdateThatComesWhileTheAccountIsFetched) {
    world its;
    const auto newer = account_token(revoking);
    const auto answer = its.judge_while([&] {
        EXPECT_TRUE(its.accounts->knows(the_account.text()));
        EXPECT_TRUE(its.accounts->update(the_account.text(), newer));
    });
    EXPECT_EQ(answer.why_not, "User authentication revoked");
    EXPECT_EQ(its.jwts[the_account.text()], newer);
    EXPECT_EQ(its.asked, 2);
}

TEST(JwtAuthority, MindsNoUpdateOfNobodyWhileTheAccountIsFetched) {
    world its;
    const test_key stranger(nkey_prefix::operator_key, 9);
    const auto answer = its.judge_while([&] {
        EXPECT_FALSE(its.accounts->update(
            the_account.text(),
            stranger.issue_account(the_account.text(), auth::no_account_limits)));
    });
    EXPECT_TRUE(answer.accepted) << answer.why_not;
    EXPECT_EQ(its.asked, 1);
}

TEST(JwtAuthority, LetsNobodyIntoAnAccountThatWasDeletedWhileItWasFetched) {
    world its;
    const auto answer = its.judge_while([&] {
        its.jwts.clear();
        its.accounts->forget(the_account.text());
    });
    EXPECT_EQ(answer.why_not, "Account JWT lookup error: account missing");
    EXPECT_TRUE(its.jwts.empty());
}

TEST(JwtAuthority, AsksANewResolverForWhatAnOldOneIsAskedFor) {
    std::map<std::string, std::string> others{{the_account.text(), account_token(revoking)}};
    world its;
    const auto before = others;
    const auto answer = its.judge_while([&] {
        its.accounts->take_resolver(std::make_unique<counting_resolver>(others, its.asked));
    });
    EXPECT_EQ(answer.why_not, "User authentication revoked");
    EXPECT_EQ(others, before);
}

TEST(JwtAuthority, PinsAccountsAlsoForThoseWhoWaitForTheirs) {
    world its;
    const auto answer = its.judge_while([&] {
        auto trust = world::trust();
        trust.pinned_accounts.insert(test_key(nkey_prefix::account, 7).text());
        its.accounts->take_trust(std::move(trust));
    });
    EXPECT_EQ(answer.why_not,
              "Account " + the_account.text() + " not listed as operator pinned account");
    EXPECT_EQ(its.accounts->refused_unpinned(), 1u);
}

// --- Networks and times ---

TEST(JwtAuthority, RefusesATokenWhoseNetworksOrTimesAreNone) {
    world its;
    for (
        const auto* nats :
        {R"("src":["127.0.0.0/8","10.1.0.0/33"])", R"("src":["127.0.0.0/8",null])",
         R"("times":[{}])", R"("times":[{"start":"00:00:00"}])", R"("times_location":"Nowhere")",
         R"("times":[{"start":"00:00:00","end":"23:59:59"},{"start":"24:00:00","end":"1:00:00"}])"}) {
        const auto answer = its.judge(the_account.issue_user(the_user.text(), nats));
        EXPECT_TRUE(answer.why_not.starts_with("User JWT no longer valid: ")) << nats;
    }
    EXPECT_EQ(its.asked, 0);
    const auto* const good = R"("src":["127.0.0.0/8"],"times_location":"Europe/Vienna")";
    EXPECT_TRUE(its.judge(the_account.issue_user(the_user.text(), good)).accepted);
}

// --- Roles that are edited ---

const test_key the_role(nkey_prefix::account, 4);

/// The account with a scoped signing key; `rights` are its template's members.
std::string account_with_role(const std::string& rights, const std::string& more = {}) {
    return account_token(R"("signing_keys":[{"kind":"user_scope","key":")" + the_role.text() +
                         R"(","role":"r","template":{"subs":-1,"data":-1,"payload":-1,)" + rights +
                         "}}]" + (more.empty() ? "" : "," + more));
}

/// Somebody who came in by the role, whose template is edited then.
struct role_world : world {
    explicit role_world(const std::string& rights = R"("pub":{"allow":["{{name()}}.old"]})",
                        bool live_permissions = true)
        : world(live_permissions) {
        jwts[the_account.text()] = account_with_role(rights);
        const auto token = the_role.issue_scoped_user(the_user.text(), the_account.text(), {},
                                                      R"("name":"bob","exp":4000000000)");
        const auto answer = judge(token);
        EXPECT_TRUE(answer.accepted) << answer.why_not;
        user = answer.user;
    }
    broker::session_verdict edit(const std::string& account, const std::string& ip = "127.0.0.1") {
        EXPECT_TRUE(update(the_account, account));
        return judge_session(*user, ip);
    }

    broker::user_pointer user;
};

TEST(JwtAuthority, AnEditedRoleHoldsForThoseWhoAreIn) {
    role_world its;
    const auto verdict = its.edit(account_with_role(R"("pub":{"allow":["{{name()}}.new"]})"));
    ASSERT_EQ(verdict.what, broker::session_verdict::fate::stays);
    ASSERT_NE(verdict.user, nullptr);
    EXPECT_TRUE(verdict.user->permissions->may_publish("bob.new"));
    EXPECT_FALSE(verdict.user->permissions->may_publish("bob.old"));
    EXPECT_EQ(verdict.user->nkey, the_user.text());
    EXPECT_EQ(verdict.user->expires, its.user->expires);
    EXPECT_EQ(verdict.user->claims->issued_at, its.user->claims->issued_at);
    // The connections of one JWT share what was made of it.
    EXPECT_EQ(its.judge_session(*its.user).user, its.judge_session(*its.user).user);
}

TEST(JwtAuthority, AnEditedRoleEndsConnectionsWithoutLivePermissions) {
    role_world its(R"("pub":{"allow":["old"]})", false);
    EXPECT_EQ(its.edit(account_with_role(R"("pub":{"allow":["new"]})")).what,
              broker::session_verdict::fate::has_lost_its_signer);
}

TEST(JwtAuthority, AnEditedRoleLetsNobodyStayWhoCouldNotLogInByIt) {
    using fate = broker::session_verdict::fate;
    const std::string old = R"("pub":{"allow":["old"]})";
    const auto of = [&](const std::string& rights, const std::string& first, const char* ip) {
        return role_world(first).edit(account_with_role(rights), ip).what;
    };
    EXPECT_EQ(of(R"("src":["10.0.0.0/8"])", old, "127.0.0.1"), fate::is_refused);
    EXPECT_EQ(of(R"("src":["10.0.0.0/8"])", old, "10.1.1.1"), fate::stays);
    EXPECT_EQ(of(R"("allowed_connection_types":["WEBSOCKET"])", old, "127.0.0.1"),
              fate::is_refused);
    // Undefined words in what is denied.
    EXPECT_EQ(of(R"("pub":{"deny":["{{tag(x)}}"]})", old, "127.0.0.1"), fate::has_lost_its_signer);
    // Who came as a bearer has never signed.
    EXPECT_EQ(of(old, R"("bearer_token":true)", "127.0.0.1"), fate::has_lost_its_signer);
    // What is revoked in the same update, and a key that is gone or has no role any more.
    role_world its;
    EXPECT_EQ(its.edit(account_with_role(R"("pub":{"allow":["new"]})",
                                         R"("revocations":{"*":1800000000})"))
                  .what,
              fate::is_revoked);
    role_world other;
    EXPECT_EQ(other.edit(account_token()).what, fate::has_lost_its_signer);
    role_world plain;
    EXPECT_EQ(plain.edit(account_token(R"("signing_keys":[")" + the_role.text() + "\"]")).what,
              fate::has_lost_its_signer);
}

TEST(JwtAuthority, AnEditedRoleEndsWithItsTimes) {
    role_world its;
    const auto verdict =
        its.edit(account_with_role(R"("times":[{"start":"00:00:00","end":"23:59:59"}])"));
    if (verdict.what != broker::session_verdict::fate::stays) return; // The day's last second.
    ASSERT_TRUE(verdict.user->expires);
    EXPECT_LT(*verdict.user->expires, *its.user->expires);
    // And the token's own end counts again without them.
    its.user = verdict.user;
    const auto again = its.edit(account_with_role(R"("pub":{"allow":["new"]})"));
    EXPECT_EQ(again.user->claims->expires, 4000000000);
    EXPECT_GT(*again.user->expires, *verdict.user->expires);
}

TEST(JwtAuthority, AnEditedRoleLetsNobodyOfAServiceAskItAsIfHeWereTheServer) {
    const auto service = R"("authorization":{"auth_users":[")" + the_user.text() + "\"]}";
    role_world its(R"("pub":{"allow":["$SYS.REQ.USER.AUTH"]})");
    const auto verdict =
        its.edit(account_with_role(R"("pub":{"allow":["a","$SYS.REQ.USER.AUTH"]})", service));
    ASSERT_EQ(verdict.what, broker::session_verdict::fate::stays);
    EXPECT_TRUE(verdict.user->permissions->may_publish("a"));
    EXPECT_FALSE(verdict.user->permissions->may_publish("$SYS.REQ.USER.AUTH"));
}

TEST(JwtAuthority, ARoleWhoseTimesAreNoneLocksOutItsOwnUsersOnly) {
    world its;
    its.jwts[the_account.text()] = account_with_role(
        R"("times":[{"start":"00:00:00","end":"23:59:59"},{"start":"noon","end":"13:00:00"}])");
    const auto of_role = its.judge(the_role.issue_scoped_user(the_user.text(), the_account.text()));
    EXPECT_EQ(of_role.why_not, "Outside connect times");
    EXPECT_TRUE(its.judge(the_account.issue_user(the_user.text())).accepted);
}

TEST(JwtAuthority, UpdatesAnAccountWithItsImportsAtOnce) {
    world its;
    const test_key exporter(nkey_prefix::account, 5);
    const std::string stream = R"("name":"s","subject":"s.>","type":"stream")";
    const auto imports = R"("imports":[{)" + stream + R"(,"account":")" + exporter.text() + "\"}]";
    its.jwts[the_account.text()] = account_token(imports);
    its.jwts[exporter.text()] = the_operator.issue_account(
        exporter.text(), std::string(auth::no_account_limits) + R"(,"exports":[{)" + stream + "}]");
    ASSERT_TRUE(its.judge(the_account.issue_user(the_user.text())).accepted);
    ASSERT_EQ(its.last.config->stream_imports.size(), 1u);
    const auto before = its.put;
    EXPECT_TRUE(its.update(the_account, account_token(imports, 1'700'000'001)));
    EXPECT_EQ(its.put, before + 1);
    EXPECT_EQ(its.last.config->stream_imports.size(), 1u);
    EXPECT_TRUE(its.last.judge);
}

TEST(JwtAuthority, RevokesAlsoWhomAServiceLetIn) {
    world its;
    const auto known = its.judge(the_account.issue_user(the_user.text()));
    ASSERT_TRUE(known.accepted);
    const auto service = std::make_shared<const broker::callout_configuration>();
    const auto bob = renamed({.service = service}, *known.user, "bob");
    EXPECT_EQ(bob->name, "bob");
    EXPECT_EQ(bob->claims, nullptr);
    EXPECT_TRUE(its.update(the_account, account_token(revoking)));
    using fate = broker::session_verdict::fate;
    EXPECT_EQ(its.judge_session(*bob).what, fate::is_revoked);
    EXPECT_TRUE(its.update(the_account, account_token()));
    EXPECT_EQ(its.judge_session(*bob).what, fate::stays);
}

TEST(JwtAuthority, LetsNobodyInPastAProxyThatItsKeyAsksFor) {
    world its;
    const test_key scope(nkey_prefix::account, 5);
    its.jwts[the_account.text()] =
        account_token(R"("signing_keys":[{"kind":"user_scope","key":")" + scope.text() +
                      R"(","template":{"proxy_required":true}}])");
    const auto answer = its.judge(scope.issue_scoped_user(the_user.text(), the_account.text()));
    EXPECT_FALSE(answer.accepted);
    EXPECT_EQ(answer.why_not, "proxy connection required");
    EXPECT_EQ(answer.reason, broker::close_reason::proxy_required);
}

TEST(JwtAuthority, RefusesAnUpdateThatNobodySigned) {
    world its;
    ASSERT_TRUE(its.judge(the_account.issue_user(the_user.text())).accepted);
    const test_key stranger(nkey_prefix::operator_key, 9);
    EXPECT_FALSE(its.update(the_account,
                            stranger.issue_account(the_account.text(), auth::no_account_limits)));
    EXPECT_FALSE(its.update(the_account, "x"));
    EXPECT_EQ(its.put, 1);
}

/// It may have come meanwhile, as in nats-server.
TEST(JwtAuthority, AsksAtEachLoginForAnAccountThatIsNotThere) {
    world its;
    const test_key nobody(nkey_prefix::account, 7);
    const auto token = nobody.issue_user(the_user.text());
    for (int i = 1; i <= 3; ++i) {
        EXPECT_EQ(its.judge(token).why_not, "Account JWT lookup error: account missing");
        EXPECT_EQ(its.asked, i);
    }
}

/// One that answers when the test says so.
class patient_resolver final : public account_resolver {
public:
    explicit patient_resolver(std::vector<std::pair<std::string, answer>>& asked) : asked_(asked) {}
    void fetch(const std::string& account, answer then) override {
        asked_.emplace_back(account, std::move(then));
    }
    [[nodiscard]] result<> store(const std::string&, const std::string&) override { return {}; }

private:
    std::vector<std::pair<std::string, answer>>& asked_;
};

TEST(JwtAuthority, FetchesForEachPartyInTurn) {
    std::vector<std::pair<std::string, account_resolver::answer>> asked;
    account_numbers numbers;
    task_thread thread{"test"};
    operator_trust trust;
    trust.keys.insert(the_operator.text());
    known_accounts accounts(
        std::move(trust), std::make_unique<patient_resolver>(asked),
        {numbers, thread, [](broker::account_update, auto done) { done(); }, logger()});
    jwt_authority authority(accounts);
    const auto run = [&](auto what) {
        std::promise<void> done;
        thread.post([&] {
            what();
            done.set_value();
        });
        done.get_future().wait();
    };
    std::size_t refused = 0;
    const auto judge = [&](const std::string& address, const test_key& account) {
        broker::login_question question;
        question.address = address;
        question.what =
            broker::jwt_check{.jwt = account.issue_user(the_user.text()), .nonce = nonce};
        authority.judge(std::move(question), [&](const broker::login_answer&) { ++refused; });
    };
    const test_key wanted(nkey_prefix::account, 250);
    run([&] {
        for (std::uint8_t i = 10; i < 210; ++i) {
            judge("2001:db8::" + std::to_string(i), test_key(nkey_prefix::account, i));
        }
        judge("2001:db8::1", wanted); // Behind all of them.
        judge("192.0.2.1", wanted);
    });
    EXPECT_EQ(asked.size(), limits::account_fetches_at_once);
    EXPECT_EQ(refused, 0u);
    run([&] {
        for (std::size_t i = 0; i < 2; ++i) {
            const auto then = asked[i].second;
            then(error(errc::no_account, "account missing"));
        }
    });
    run([] {});
    run([] {});
    const auto last = asked.end() - 2;
    EXPECT_TRUE(last[0].first == wanted.text() || last[1].first == wanted.text());
    EXPECT_EQ(refused, 2u);
    thread.stop();
}

} // namespace
} // namespace pipit::server
