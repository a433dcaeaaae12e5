// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/detail/test_brokers.hpp>

#include <gtest/gtest.h>

#include <array>

namespace pipit::broker {
namespace {

TEST(AccountLimits, EndWhomTheServerChoosesOfTooManyAndNobodyElse) {
    test_brokers loop;
    auto& first = loop.connect(R"("headers":true)");
    auto& second = loop.connect(R"("headers":true)");
    auto after = open_configuration();
    after->accounts.at(0).limits.max_connections = 1;
    loop.core().reconfigure(after, loop.now);
    loop.flush();
    EXPECT_FALSE(second.closed) << "others may go on another loop";
    const std::array chosen{loop.core().client_id(*second.its_session)};
    loop.core().close_sessions(chosen, close_reason::max_account_connections_exceeded, loop.now);
    loop.flush();
    EXPECT_TRUE(
        loop.take(second).ends_with("-ERR 'maximum account active connections exceeded'\r\n"));
    EXPECT_TRUE(second.closed);
    EXPECT_FALSE(first.closed);
}

TEST(AccountLimits, EndOnlyWhoFindsTheLastPlaceTakenOnAnotherLoop) {
    auto config = open_configuration();
    config->authorization.token = "t";
    config->accounts.at(0).limits.max_connections = 1;
    test_brokers loops(config, 2);
    auto& first = loops.connect(R"("auth_token":"t")");
    auto& second = loops.connect(1);
    loops.receive(second, "CONNECT {\"auth_token\":\"t\"}\r\n");
    // The second is counted and refused, and has not left yet.
    loops.receive(first, "CONNECT {\"auth_token\":\"t\"}\r\n");
    loops.flush();
    EXPECT_TRUE(second.closed);
    EXPECT_FALSE(first.closed);
}

TEST(AccountLimits, EndWhoeverIsFullUnderANewLimitOfSubscriptions) {
    test_brokers loop;
    auto& client = loop.connect(R"("headers":true)");
    loop.send(client, "SUB a 1\r\nSUB b 2\r\nPING\r\n");
    loop.take(client);
    auto after = open_configuration();
    after->accounts.at(0).limits.max_subscriptions = 3;
    loop.core().reconfigure(after, loop.now);
    loop.flush();
    EXPECT_FALSE(client.closed);
    auto fewer = open_configuration();
    fewer->accounts.at(0).limits.max_subscriptions = 2;
    loop.core().reconfigure(fewer, loop.now);
    loop.flush();
    EXPECT_EQ(loop.take(client), "-ERR 'maximum subscriptions exceeded'\r\n");
    EXPECT_TRUE(client.closed);
}

} // namespace
} // namespace pipit::broker
