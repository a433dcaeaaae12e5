// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/broker_configuration.hpp>

#include <pipit/auth/permissions.hpp>
#include <pipit/protocol/weighted_mapping.hpp>
#include <pipit/server/options_from_config.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace pipit::server {
namespace {

server_options options_of(std::string_view text) {
    const auto map = parse_config(text, "c.conf", {});
    auto loaded = options_from_config(map.value());
    EXPECT_TRUE(loaded) << loaded.error().detail();
    apply_defaults(loaded->options);
    return std::move(loaded->options);
}

std::shared_ptr<const broker::configuration> told(std::string_view text) {
    account_numbers numbers;
    return broker_configuration(options_of(text), {.id = "NID", .port = 4222}, numbers).value();
}

TEST(BrokerConfiguration, HasTheGlobalAndTheSystemAccountWithoutBeingAsked) {
    const auto config = told("");
    ASSERT_EQ(config->accounts.size(), 2u);
    EXPECT_EQ(config->accounts[0].name, "$G");
    EXPECT_EQ(config->accounts[0].id, config->global_account);
    EXPECT_EQ(config->accounts[1].name, "$SYS");
    EXPECT_EQ(config->accounts[1].id, config->system_account);
    EXPECT_FALSE(config->authorization.required());
    EXPECT_FALSE(told("no_system_account: true")->system_account);
    EXPECT_EQ(told("system_account: \"$G\"")->system_account, told("")->global_account);
}

TEST(BrokerConfiguration, SaysWhoTheServerIs) {
    EXPECT_EQ(told("host: h")->identity.name, "NID");
    EXPECT_EQ(told("host: h")->identity.host, "h");
    EXPECT_EQ(told("server_name: n")->identity.name, "n");
    EXPECT_EQ(told("")->identity.version, "2.15.2");
    const auto advertised = told("client_advertise: \"public:5222\"")->identity;
    EXPECT_EQ(advertised.host, "public");
    EXPECT_EQ(advertised.port, 5222);
    EXPECT_EQ(told("client_advertise: public")->identity.port, 4222);
}

TEST(BrokerConfiguration, PutsUsersIntoTheirAccountsWithTheirPermissions) {
    const auto config = told(R"(
        accounts {
          A { users [ {user: a, password: p} ], limits { max_payload: 5 }, mappings { x: y }
              default_permissions { publish: "a.>" } }
          B { users [ {user: b} ], msg_trace { dest: t, sampling: 7 } }
        }
        authorization { users [ {user: g, clients: standard} ] }
        no_auth_user: g
    )");
    ASSERT_EQ(config->accounts.size(), 4u);
    const auto& a = config->accounts[1];
    const auto& users = config->authorization.users;
    EXPECT_EQ(users.at("a").account, a.id);
    EXPECT_EQ(users.at("a").password, "p");
    EXPECT_TRUE(users.at("a").permissions->may_publish("a.b"));
    EXPECT_FALSE(users.at("a").permissions->may_publish("b"));
    EXPECT_EQ(a.limits.max_payload_bytes, 5);
    EXPECT_TRUE(a.mappings.at(0)->matches("x"));
    EXPECT_EQ(config->accounts[2].trace_destination, "t");
    EXPECT_EQ(config->accounts[2].trace_sampling_percent, 7);
    EXPECT_EQ(users.at("g").account, config->global_account);
    EXPECT_EQ(users.at("b").permissions, nullptr);
    EXPECT_FALSE(users.at("g").in_process_connections_allowed);
    EXPECT_EQ(config->authorization.no_auth_user, "g");
}

TEST(BrokerConfiguration, HasOneWayToLogIn) {
    const auto token = told("authorization { token: t }")->authorization;
    EXPECT_EQ(token.token, "t");
    EXPECT_FALSE(token.single_user);
    const auto single = told("authorization { user: u, password: p }")->authorization;
    EXPECT_EQ(single.single_user->name, "u");
    EXPECT_TRUE(single.token.empty() && single.users.empty());
}

TEST(BrokerConfiguration, LetsEverybodyInWhenOnlyTheSystemAccountHasUsers) {
    const auto config =
        told("accounts { SYS { users [ {user: s, password: p} ] } }, system_account: SYS");
    const auto& authorization = config->authorization;
    ASSERT_FALSE(authorization.no_auth_user.empty());
    EXPECT_EQ(authorization.users.at(authorization.no_auth_user).account, config->global_account);
    for (const auto* text : {"accounts { A { users [ {user: s} ] } }",
                             "accounts { $SYS { users [ {user: s} ] } }, authorization {}",
                             "accounts { $SYS { users [ {user: s} ] }, A {} }"}) {
        EXPECT_TRUE(told(text)->authorization.no_auth_user.empty()) << text;
    }
    EXPECT_FALSE(
        told("accounts { $SYS { users [ {user: s} ] } }")->authorization.no_auth_user.empty());
}

TEST(BrokerConfiguration, KeepsTheNumbersAndCountersOfAccountsOverReloads) {
    account_numbers numbers;
    const auto account_b = [&](std::string_view text) {
        const auto config = broker_configuration(options_of(text), {}, numbers).value();
        const auto found =
            std::ranges::find(config->accounts, "B", &broker::account_configuration::name);
        return found == config->accounts.end() ? broker::account_configuration() : *found;
    };
    const auto before = account_b("accounts { A {}, B {} }");
    EXPECT_NE(before.counters, account_b("accounts { A {} }").counters);
    for (const auto* const text : {"accounts { C {}, B {} }", "accounts { B {} }"}) {
        EXPECT_EQ(account_b(text).id, before.id);
        EXPECT_EQ(account_b(text).counters, before.counters);
    }
}

TEST(BrokerConfiguration, CarriesLimitsTimesAndSwitches) {
    const auto config = told(R"(
        max_payload: 10, max_pending: 20, max_control_line: 30, max_connections: 0, max_subs: 40
        max_sub_tokens: 5, max_closed_clients: 6, max_traced_msg_len: 7
        ping_interval: "8s", ping_max: 9, write_deadline: "11s", authorization { timeout: 0.5 }
        no_header_support: true, no_fast_producer_stall: true, trace_headers: true
        write_timeout: retry, disable_sublist_cache: true
    )");
    EXPECT_EQ(config->max_payload_bytes, 10);
    EXPECT_EQ(config->max_pending_bytes, 20u);
    EXPECT_EQ(config->max_control_line_bytes, 30u);
    EXPECT_EQ(config->max_connections, -1);
    EXPECT_EQ(config->max_subscriptions, 40);
    EXPECT_EQ(config->max_subscription_tokens, 5);
    EXPECT_EQ(config->max_closed_clients, 6u);
    EXPECT_EQ(config->max_traced_message_bytes, 7);
    EXPECT_EQ(config->ping_interval, std::chrono::seconds(8));
    EXPECT_EQ(config->ping_max, 9);
    EXPECT_EQ(config->write_deadline, std::chrono::seconds(11));
    EXPECT_EQ(config->auth_timeout, std::chrono::milliseconds(500));
    EXPECT_FALSE(config->headers_supported || config->stall_fast_producers);
    EXPECT_TRUE(config->retries_slow_writes);
    EXPECT_FALSE(config->caches_matches);
    EXPECT_TRUE(config->trace_protocol && config->trace_headers_only);
}

} // namespace
} // namespace pipit::server
