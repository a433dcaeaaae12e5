// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/broker.hpp>
#include <pipit/broker/detail/test_brokers.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace pipit;
using broker::account_id;
using broker::internal_message;
using broker::open_configuration;
using broker::test_brokers;

constexpr account_id global{1};
constexpr account_id other{2};
const std::string plain = "\"headers\":true,\"no_responders\":true,\"protocol\":1";

/// Two accounts: `$G`, where everybody is, and another one.
std::shared_ptr<broker::configuration> two_accounts() {
    auto config = open_configuration();
    broker::account_configuration second;
    second.id = other;
    second.name = "OTHER";
    config->accounts.push_back(second);
    return config;
}

/// `subject reply [headers] payload from client/account`, for each message.
struct recorder {
    std::vector<std::string> got;
    broker::internal_handler handler() {
        return [this](const internal_message& message, moment) {
            got.push_back(std::string(message.subject) + ' ' + std::string(message.reply) + " [" +
                          std::string(message.headers) + "] " + std::string(message.payload) +
                          " from " + std::to_string(message.sender) + '/' +
                          std::to_string(static_cast<int>(message.sender_account)));
        };
    }
};

TEST(InternalClients, GetWhatClientsPublishAndWhoItWas) {
    test_brokers loop;
    recorder seen;
    ASSERT_NE(loop.core().subscribe(global, "ask.*", seen.handler()), 0u);
    loop.flush();
    auto& client = loop.connect(plain);
    loop.send(client, "PUB ask.me inbox 2\r\nhi\r\nHPUB ask.you 12 15\r\nNATS/1.0\r\n\r\nyes\r\n");
    EXPECT_EQ(seen.got, (std::vector<std::string>{"ask.me inbox [] hi from 1/1",
                                                  "ask.you  [NATS/1.0\r\n\r\n] yes from 1/1"}));
    EXPECT_EQ(loop.take(client), "");
    // Nothing of it was sent to anybody.
    EXPECT_EQ(loop.core().numbers_of(global)->sent.messages, 0u);
}

TEST(InternalClients, AnswerFromTheirHandler) {
    for (const unsigned loops : {1u, 2u}) {
        test_brokers brokers(open_configuration(), loops);
        auto& core = brokers.core(0);
        core.subscribe(global, "ask", [&](const internal_message& message, moment now) {
            core.publish(global,
                         {.subject = message.reply,
                          .headers = "NATS/1.0\r\nA: b\r\n\r\n",
                          .payload = "you are " + std::to_string(message.sender)},
                         now);
        });
        brokers.flush();
        auto& client = brokers.connect(plain, loops - 1);
        brokers.send(client, "SUB inbox 1\r\nPUB ask inbox 0\r\n\r\n");
        EXPECT_EQ(brokers.take(client),
                  "HMSG inbox 1 18 27\r\nNATS/1.0\r\nA: b\r\n\r\nyou are 1\r\n");
    }
}

TEST(InternalClients, LiveInTheirAccountOnly) {
    test_brokers loop(two_accounts());
    recorder seen;
    loop.core().subscribe(other, ">", seen.handler());
    loop.flush();
    auto& client = loop.connect(plain);
    loop.send(client, "SUB > 1\r\nPUB a 0\r\n\r\n");
    EXPECT_EQ(loop.take(client), "MSG a 1 0\r\n\r\n");
    EXPECT_TRUE(seen.got.empty());
    EXPECT_EQ(loop.core().subscribe(account_id{99}, "a", seen.handler()), 0u);
}

TEST(InternalClients, TellWhoAskedOnAnotherLoop) {
    test_brokers brokers(open_configuration(), 2);
    recorder seen;
    brokers.core(0).subscribe(global, "ask", seen.handler());
    brokers.flush();
    brokers.connect(plain, 0);
    auto& client = brokers.connect(plain, 1);
    brokers.send(client, "PUB ask inbox 0\r\n\r\n");
    EXPECT_EQ(seen.got, (std::vector<std::string>{"ask inbox []  from 2/1"}));
}

TEST(InternalClients, HearEachOtherAsTheServer) {
    test_brokers loop;
    recorder seen;
    loop.core().subscribe(global, "a", seen.handler());
    loop.core().publish(global, {.subject = "a", .payload = "x"}, loop.now);
    loop.flush();
    EXPECT_EQ(seen.got, (std::vector<std::string>{"a  [] x from 0/1"}));
}

TEST(InternalClients, GetNothingAfterTheyUnsubscribedAlsoFromTheirHandler) {
    test_brokers loop;
    auto& core = loop.core();
    int calls = 0;
    std::uint64_t number = 0;
    number = core.subscribe(global, "a", [&](const internal_message&, moment) {
        ++calls;
        core.unsubscribe(number);
    });
    loop.flush();
    auto& client = loop.connect(plain);
    loop.send(client, "SUB inbox 1\r\nPUB a 0\r\n\r\nPUB a 0\r\n\r\n");
    EXPECT_EQ(calls, 1);
    loop.send(client, "PUB a inbox 0\r\n\r\n");
    EXPECT_EQ(loop.take(client),
              "HMSG inbox 1 33 33\r\nNATS/1.0 503\r\nNats-Subject: a\r\n\r\n\r\n");
    EXPECT_FALSE(core.is_wanted(global, "a"));
    core.unsubscribe(number);
}

TEST(InternalClients, ShareAQueueWithClients) {
    test_brokers loop;
    recorder seen;
    loop.core().subscribe(global, "work", seen.handler(), "q");
    loop.flush();
    auto& client = loop.connect(plain);
    loop.send(client, "SUB work q 1\r\n");
    for (int i = 0; i < 100; ++i) loop.send(client, "PUB work 0\r\n\r\n");
    const auto to_client = loop.take(client).size() / std::string("MSG work 1 0\r\n\r\n").size();
    EXPECT_EQ(to_client + seen.got.size(), 100u);
    EXPECT_GT(seen.got.size(), 20u);
}

TEST(InternalClients, AreNotCountedAsConnections) {
    test_brokers loop;
    loop.core().subscribe(global, "a", [](const internal_message&, moment) {});
    loop.flush();
    const auto statistics = loop.core().statistics();
    EXPECT_EQ(statistics.connections, 0u);
    EXPECT_EQ(statistics.total_connections, 0u);
    EXPECT_EQ(statistics.subscriptions, 0u);
    EXPECT_TRUE(loop.core().client_ids().empty());
}

} // namespace
