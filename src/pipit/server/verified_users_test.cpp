// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/verified_users.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

auth::user_jwt named(const std::string& name) {
    auth::user_jwt user;
    user.name = name;
    return user;
}

TEST(VerifiedUsers, KnowsWhatWasAddedAndNothingElse) {
    verified_users known(10, 1'000'000);
    EXPECT_EQ(known.find("a"), nullptr);
    known.add("a", named("A"));
    ASSERT_NE(known.find("a"), nullptr);
    EXPECT_EQ(known.find("a")->claims.name, "A");
    EXPECT_EQ(known.find("a."), nullptr);
    known.add("a", named("again"));
    EXPECT_EQ(known.size(), 1u);
}

TEST(VerifiedUsers, ForgetsTheOldestBeyondItsBounds) {
    verified_users few(3, 1'000'000);
    for (int i = 0; i < 5; ++i) few.add(std::to_string(i), named("x"));
    EXPECT_EQ(few.size(), 3u);
    EXPECT_EQ(few.find("1"), nullptr);
    EXPECT_NE(few.find("4"), nullptr);
    verified_users small(1000, 100'000);
    for (int i = 0; i < 1000; ++i)
        small.add(std::string(1000, 'x') + std::to_string(i), named("x"));
    EXPECT_LT(small.size(), 30u);
    EXPECT_GT(small.size(), 10u);
}

} // namespace
} // namespace pipit::server
