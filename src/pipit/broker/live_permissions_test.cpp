// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nonce.hpp>
#include <pipit/auth/permissions.hpp>
#include <pipit/base/identity_limits.hpp>
#include <pipit/broker/account_update.hpp>
#include <pipit/broker/detail/test_brokers.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace pipit::broker {
namespace {

using namespace std::chrono_literals;
using auth::permission_lists;

constexpr auto key = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
constexpr auto other_key = "UAOTHERXSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF";

std::shared_ptr<const auth::permissions> permissions_of(permission_lists lists) {
    return *auth::permissions::make(std::move(lists));
}

std::shared_ptr<user_configuration> a_user(permission_lists lists = {}, const char* nkey = key) {
    auto user = std::make_shared<user_configuration>();
    user->name = user->nkey = nkey;
    user->account = account_id{7};
    user->permissions = permissions_of(std::move(lists));
    return user;
}

std::shared_ptr<configuration> configuration_with_jwts(bool live = true) {
    auto config = open_configuration();
    config->identity.nonces = std::make_shared<const auth::nonce_maker>(auth::secret_key_bytes());
    config->authorization.by_jwt = true;
    config->live_permissions = live;
    return config;
}

/// Loops on which users with JWTs come into an account that changes.
struct world {
    explicit world(bool live = true, unsigned loop_count = 1)
        : config(configuration_with_jwts(live)), brokers(config, loop_count), loops(loop_count) {
        put({});
    }

    /// A newer JWT of the account: everybody gets these rights.
    void put(const session_judge& judge) {
        auto account = std::make_shared<account_configuration>();
        account->id = account_id{7};
        account->name = "A";
        for (unsigned loop = 0; loop < loops; ++loop) {
            brokers.core(loop).put_account({account, judge}, brokers.now);
        }
        brokers.flush();
    }
    void edit_role(const permission_lists& lists) {
        put([lists](const user_configuration&, const session_origin&, wall_time) {
            return session_verdict{session_verdict::fate::stays, a_user(lists)};
        });
    }
    void answer(login_answer answer, unsigned loop = 0) {
        const auto question = brokers.core(loop).next_question();
        ASSERT_TRUE(question);
        brokers.core(loop).answer(question->id, std::move(answer), brokers.now);
        brokers.flush();
    }
    test_brokers::client& log_in(const permission_lists& lists = {}, unsigned loop = 0) {
        auto& client = brokers.connect(R"("jwt":"e.y.J","sig":"s")", loop);
        answer({.accepted = true, .user = a_user(lists)}, loop);
        return client;
    }
    /// A second CONNECT with another JWT.
    void connect_again(test_brokers::client& client) {
        brokers.send(client, "CONNECT {\"jwt\":\"n.e.w\",\"sig\":\"s\"}\r\n");
    }
    std::string ask(test_brokers::client& client, const std::string& bytes) {
        brokers.send(client, bytes + "PING\r\n");
        return brokers.take(client);
    }

    std::shared_ptr<configuration> config;
    test_brokers brokers;
    unsigned loops;
};

TEST(LivePermissions, AnEditedRoleEndsWhatItNoLongerAllowsOnAllLoops) {
    world its(true, 2);
    auto& reader = its.log_in({}, 1);
    auto& writer = its.log_in({}, 0);
    its.brokers.send(reader, "SUB a 1\r\nSUB b 2\r\nSUB c q 3\r\nSUB *.x 4\r\n");
    its.edit_role({.subscribe_deny = {"a", "c", "d.x"}});
    EXPECT_EQ(its.brokers.take(reader),
              "-ERR 'Permissions Violation for Subscription to \"a\"'\r\n"
              "-ERR 'Permissions Violation for Subscription to \"c\" using queue \"q\"'\r\n");
    EXPECT_FALSE(reader.closed);
    its.brokers.send(writer, "PUB a 0\r\n\r\nPUB b 0\r\n\r\nPUB c 0\r\n\r\nPUB d.x 0\r\n\r\n"
                             "PUB e.x 0\r\n\r\n");
    EXPECT_EQ(its.brokers.take(reader), "MSG b 2 0\r\n\r\nMSG e.x 4 0\r\n\r\n");
    // What is allowed again may be subscribed to again.
    its.edit_role({.subscribe_deny = {"b"}});
    EXPECT_EQ(its.brokers.take(reader),
              "-ERR 'Permissions Violation for Subscription to \"b\"'\r\n");
    its.brokers.send(reader, "SUB a 5\r\n");
    its.brokers.send(writer, "PUB a 0\r\n\r\nPUB d.x 0\r\n\r\n");
    EXPECT_EQ(its.brokers.take(reader), "MSG a 5 0\r\n\r\nMSG d.x 4 0\r\n\r\n");
}

TEST(LivePermissions, AnEditedRoleCountsForTheNextMessageThatIsPublished) {
    world its(true, 2);
    auto& reader = its.log_in({}, 0);
    its.brokers.send(reader, "SUB > 1\r\n");
    auto& writer = its.log_in({.publish_allow = {"a"}}, 1);
    EXPECT_EQ(its.ask(writer, "PUB a 0\r\n\r\nPUB b 0\r\n\r\n"),
              "-ERR 'Permissions Violation for Publish to \"b\"'\r\nPONG\r\n");
    EXPECT_EQ(its.brokers.take(reader), "MSG a 1 0\r\n\r\n");
    its.edit_role({.publish_allow = {"b"}});
    EXPECT_EQ(its.ask(writer, "PUB a 0\r\n\r\nPUB b 0\r\n\r\n"),
              "-ERR 'Permissions Violation for Publish to \"a\"'\r\nPONG\r\n");
    EXPECT_EQ(its.brokers.take(reader), "MSG b 1 0\r\n\r\n");
}

TEST(LivePermissions, WhatWasAskedBeforeMayBeAnsweredWhileAnswersAreAllowed) {
    world its;
    const auto responding = [](std::vector<std::string> allow, int max) {
        return permission_lists{.publish_allow = std::move(allow),
                                .allow_responses = auth::response_permission{.max = max}};
    };
    auto& service = its.log_in(responding({"a"}, 1));
    its.brokers.send(service, "SUB ask 1\r\n");
    auto& client = its.log_in();
    its.brokers.send(client, "PUB ask r1 0\r\n\r\nPUB ask r2 0\r\n\r\n");
    its.brokers.take(service);
    its.edit_role(responding({"ask"}, 2));
    EXPECT_EQ(its.ask(service, "PUB r1 0\r\n\r\nPUB r1 0\r\n\r\nPUB r1 0\r\n\r\n"),
              "-ERR 'Permissions Violation for Publish to \"r1\"'\r\nPONG\r\n");
    its.edit_role({.publish_allow = {"ask"}});
    EXPECT_EQ(its.ask(service, "PUB r2 0\r\n\r\n"),
              "-ERR 'Permissions Violation for Publish to \"r2\"'\r\nPONG\r\n");
}

TEST(LivePermissions, WithoutThemAReloadSpeaksAsNatsServerDoes) {
    for (const bool live : {false, true}) {
        const auto with = [&](permission_lists lists) {
            auto config = open_configuration();
            config->live_permissions = live;
            config->authorization.users["u"] = {.name = "u",
                                                .password = "p",
                                                .account = config->global_account,
                                                .permissions = permissions_of(std::move(lists))};
            return config;
        };
        test_brokers loop(with({}));
        auto& client = loop.connect(R"("user":"u","pass":"p")");
        loop.send(client, "SUB a 1\r\n");
        loop.core().reconfigure(with({.subscribe_allow = {"b"}}), loop.now);
        loop.flush();
        EXPECT_EQ(loop.take(client),
                  live ? "-ERR 'Permissions Violation for Subscription to \"a\"'\r\n"
                       : "-ERR 'Permissions Violation for Subscription to \"a\" (sid \"1\")'\r\n");
    }
}

// --- A newer JWT ---

TEST(LivePermissions, ANewerJwtOfTheSameUserKeepsWhatItAllows) {
    world its;
    auto& client = its.log_in();
    its.brokers.send(client, "SUB a 1\r\nSUB b 2\r\n");
    its.connect_again(client);
    auto user = a_user({.subscribe_allow = {"b", "c"}});
    user->expires = its.brokers.now.wall + 1h;
    its.answer({.accepted = true, .user = user});
    EXPECT_EQ(its.brokers.take(client),
              "-ERR 'Permissions Violation for Subscription to \"a\"'\r\n");
    EXPECT_EQ(its.ask(client, "SUB c 3\r\nPUB b 0\r\n\r\nPUB c 0\r\n\r\n"),
              "MSG b 2 0\r\n\r\nMSG c 3 0\r\n\r\nPONG\r\n");
    // Its end is the newer one's: it moves, and it comes.
    its.connect_again(client);
    user = a_user();
    user->expires = its.brokers.now.wall + 3h;
    its.answer({.accepted = true, .user = user});
    its.brokers.take(client);
    its.brokers.pass(2h);
    its.brokers.send(client, "PONG\r\n");
    EXPECT_FALSE(client.closed);
    its.brokers.take(client);
    its.brokers.pass(1h);
    EXPECT_EQ(its.brokers.take(client), "-ERR 'User Authentication Expired'\r\n");
}

TEST(LivePermissions, WithoutThemASecondConnectBeginsAnew) {
    world its(false);
    auto& client = its.log_in();
    its.brokers.send(client, "SUB a 1\r\n");
    its.connect_again(client);
    its.answer({.accepted = true, .user = a_user()});
    EXPECT_EQ(its.ask(client, "PUB a 0\r\n\r\n"), "PONG\r\n");
}

TEST(LivePermissions, AJwtOfSomebodyElseBeginsAnewToo) {
    world its;
    auto& client = its.log_in();
    its.brokers.send(client, "SUB a 1\r\n");
    its.connect_again(client);
    its.answer({.accepted = true, .user = a_user({}, other_key)});
    EXPECT_EQ(its.ask(client, "PUB a 0\r\n\r\n"), "PONG\r\n");
    its.brokers.send(client, "SUB a 1\r\n");
    its.connect_again(client);
    auto elsewhere = a_user({}, other_key);
    elsewhere->account = its.config->global_account;
    its.answer({.accepted = true, .user = elsewhere});
    EXPECT_EQ(its.ask(client, "PUB a 0\r\n\r\n"), "PONG\r\n");
}

TEST(LivePermissions, AJwtThatIsRefusedEndsTheConnection) {
    world its;
    auto& client = its.log_in();
    its.connect_again(client);
    its.answer(login_answer::refusal("Signature not verified"));
    EXPECT_EQ(its.brokers.take(client), "-ERR 'Authorization Violation'\r\n");
    EXPECT_TRUE(client.closed);
}

// --- A service that is asked again ---

/// A service lets people into an account and wants to be asked again.
struct callout_world {
    explicit callout_world(bool live = true) : config(configured(live)), brokers(config) {}

    static std::shared_ptr<configuration> configured(bool live) {
        auto config = open_configuration();
        config->live_permissions = live;
        auto service = std::make_shared<callout_configuration>();
        service->account = config->global_account;
        config->authorization.callout = service;
        return config;
    }
    login_answer admits(permission_lists lists, nanoseconds refresh_after = 10s) const {
        auto user = std::make_shared<user_configuration>();
        user->name = "bob";
        user->account = config->global_account;
        user->permissions = permissions_of(std::move(lists));
        return {.accepted = true, .user = user, .refresh_after = refresh_after};
    }
    std::optional<login_question> question() { return brokers.core().next_question(); }
    void answer(const std::optional<login_question>& question, login_answer answer) {
        ASSERT_TRUE(question);
        brokers.core().answer(question->id, std::move(answer), brokers.now);
        brokers.flush();
    }
    test_brokers::client& log_in() {
        auto& client = brokers.connect(
            R"("user":"b","pass":"secret","auth_token":"t","jwt":"j","sig":"s","name":"app")");
        answer(question(), admits({}));
        return client;
    }

    std::shared_ptr<configuration> config;
    test_brokers brokers;
};

TEST(LivePermissions, AServiceIsAskedAgainWithoutSecretsAndItsAnswerIsObeyed) {
    callout_world its;
    auto& client = its.log_in();
    its.brokers.send(client, "SUB a 1\r\n");
    EXPECT_FALSE(its.question());
    its.brokers.pass(10s);
    const auto question = its.question();
    ASSERT_TRUE(question);
    const auto& check = std::get<callout_check>(question->what);
    EXPECT_TRUE(check.is_refresh);
    EXPECT_EQ(check.user, "b");
    EXPECT_EQ(check.options.name, "app");
    EXPECT_EQ(check.options.pass + check.options.auth_token + check.options.jwt +
                  check.options.sig + check.nonce,
              "");
    // The client goes on meanwhile.
    its.brokers.take(client);
    its.brokers.send(client, "PUB a 0\r\n\r\n");
    EXPECT_EQ(its.brokers.take(client), "MSG a 1 0\r\n\r\n");
    its.answer(question, its.admits({.subscribe_deny = {"a"}}));
    EXPECT_EQ(its.brokers.take(client),
              "-ERR 'Permissions Violation for Subscription to \"a\"'\r\n");
    its.brokers.pass(10s);
    its.answer(its.question(), its.admits({}, {}));
    its.brokers.pass(1min);
    EXPECT_FALSE(its.question()); // It did not want to be asked any more.
    EXPECT_FALSE(client.closed);
}

TEST(LivePermissions, WithoutThemNobodyIsAskedAgain) {
    callout_world its(false);
    its.log_in();
    its.brokers.pass(1min);
    EXPECT_FALSE(its.question());
}

TEST(LivePermissions, SilenceChangesNothingAndARefusalEndsTheConnection) {
    callout_world its;
    auto& client = its.log_in();
    its.brokers.pass(10s);
    its.answer(its.question(), {.undecided = true});
    EXPECT_FALSE(client.closed);
    its.brokers.pass(10s);
    its.brokers.take(client);
    its.answer(its.question(), {});
    EXPECT_EQ(its.brokers.take(client), "-ERR 'Authorization Violation'\r\n");
    EXPECT_TRUE(client.closed);
}

TEST(LivePermissions, AnswersToNobodysQuestionAreNotObeyed) {
    callout_world its;
    auto& client = its.log_in();
    its.brokers.pass(10s);
    const auto question = its.question();
    its.answer(question, its.admits({}));
    its.brokers.take(client);
    its.answer(question, {}); // A second answer.
    its.brokers.pass(10s);
    const auto late = its.question();
    // It logs in again: what was asked before is about nobody.
    its.brokers.send(client, "CONNECT {\"user\":\"c\"}\r\n");
    its.answer(its.question(), its.admits({}, {}));
    its.answer(late, {});
    EXPECT_FALSE(client.closed);
    // And whoever has gone is not looked for.
    auto& gone = its.log_in();
    its.brokers.pass(10s);
    const auto last = its.question();
    gone.of->lost(*gone.its_session, close_reason::client_closed, its.brokers.now);
    its.brokers.flush();
    its.answer(last, its.admits({}));
}

TEST(LivePermissions, AnAnswerForAnotherAccountEndsTheConnection) {
    callout_world its;
    auto& client = its.log_in();
    its.brokers.pass(10s);
    its.brokers.take(client);
    auto elsewhere = its.admits({});
    auto user = std::make_shared<user_configuration>(*elsewhere.user);
    user->account = account_id{9};
    elsewhere.user = user;
    its.answer(its.question(), elsewhere);
    EXPECT_EQ(its.brokers.take(client), "");
    EXPECT_TRUE(client.closed);
}

TEST(LivePermissions, AfterAReloadTheServiceIsAskedAgainAtOnce) {
    callout_world its;
    auto& client = its.log_in();
    its.brokers.pass(10s);
    const auto before = its.question();
    auto next = callout_world::configured(true);
    its.brokers.core().reconfigure(next, its.brokers.now);
    its.answer(before, its.admits({.publish_deny = {">"}}));
    its.brokers.pass(0s);
    its.answer(its.question(), its.admits({}));
    its.brokers.take(client);
    its.brokers.send(client, "PUB a 0\r\n\r\n");
    EXPECT_EQ(its.brokers.take(client), "");
    // Switched off, it is not asked any more.
    its.brokers.core().reconfigure(callout_world::configured(false), its.brokers.now);
    its.brokers.pass(1min);
    EXPECT_FALSE(its.question());
}

TEST(LivePermissions, WhomAServiceLetInGoesWithTheAccount) {
    callout_world its;
    auto next = callout_world::configured(true);
    auto& account = next->accounts.emplace_back();
    account.id = account_id{7};
    account.name = "A";
    its.brokers.core().reconfigure(next, its.brokers.now);
    auto& stays = its.log_in();
    auto& goes = its.brokers.connect(R"("user":"b")");
    auto admitted = its.admits({});
    auto user = std::make_shared<user_configuration>(*admitted.user);
    user->account = account.id;
    admitted.user = user;
    its.answer(its.question(), admitted);
    EXPECT_FALSE(goes.closed);
    its.brokers.core().reconfigure(callout_world::configured(true), its.brokers.now);
    its.brokers.flush();
    EXPECT_TRUE(goes.closed);
    EXPECT_FALSE(stays.closed);
}

TEST(LivePermissions, OnlySoManyQuestionsAreOpenAtOnce) {
    callout_world its;
    for (std::size_t i = 0; i < 2 * limits::open_refreshes; ++i) its.log_in();
    its.brokers.pass(10s);
    std::vector<login_question> open;
    while (auto next = its.question()) open.push_back(std::move(*next));
    EXPECT_EQ(open.size(), limits::open_refreshes);
    for (const auto& each : open) its.answer(each, its.admits({}));
    its.brokers.pass(2s);
    std::size_t later = 0;
    while (its.question()) ++later;
    EXPECT_EQ(later, limits::open_refreshes);
}

} // namespace
} // namespace pipit::broker
