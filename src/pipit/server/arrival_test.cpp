// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/arrival.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

TEST(RateLimit, AllowsSoManyInASecondAndCountsTheOthers) {
    rate_limit limit(2);
    const steady_time begin(1h);
    EXPECT_TRUE(limit.allow(begin));
    EXPECT_TRUE(limit.allow(begin + 1ms));
    EXPECT_FALSE(limit.allow(begin + 2ms));
    EXPECT_FALSE(limit.allow(begin + 999ms));
    EXPECT_EQ(limit.take_blocked(begin + 999ms), 2u);
    EXPECT_TRUE(limit.allow(begin + 1s));
    EXPECT_TRUE(limit.allow(begin + 1s));
    EXPECT_FALSE(limit.allow(begin + 1s));
    EXPECT_EQ(limit.take_blocked(begin + 1s), 0u) << "not twice in a second";
    EXPECT_EQ(limit.take_blocked(begin + 2s), 1u);
}

TEST(TlsRules, AreNoneWithoutABlock) {
    EXPECT_EQ(make_tls_rules(std::nullopt, false).value(), nullptr);
}

} // namespace
} // namespace pipit::server
