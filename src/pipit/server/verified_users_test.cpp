// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/verified_users.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

std::shared_ptr<verified_user> user_of(const std::string& token, const std::string& name = "x") {
    auto user = std::make_shared<verified_user>();
    user->token = token;
    user->claims.name = name;
    return user;
}

TEST(VerifiedUsers, KnowsWhatWasAddedAndNothingElse) {
    verified_users known(10, 1'000'000);
    EXPECT_EQ(known.find("a"), nullptr);
    known.add(user_of("a", "A"));
    ASSERT_NE(known.find("a"), nullptr);
    EXPECT_EQ(known.find("a")->claims.name, "A");
    EXPECT_EQ(known.find("a."), nullptr);
    known.add(user_of("a", "again"));
    EXPECT_EQ(known.find("a")->claims.name, "A");
    EXPECT_EQ(known.size(), 1u);
}

TEST(VerifiedUsers, ForgetsTheOldestBeyondItsBounds) {
    verified_users few(3, 1'000'000);
    for (int i = 0; i < 5; ++i) few.add(user_of(std::to_string(i)));
    EXPECT_EQ(few.size(), 3u);
    EXPECT_EQ(few.find("1"), nullptr);
    EXPECT_NE(few.find("4"), nullptr);
    verified_users small(1000, 100'000);
    for (int i = 0; i < 1000; ++i) small.add(user_of(std::string(1000, 'x') + std::to_string(i)));
    EXPECT_LT(small.size(), 30u);
    EXPECT_GT(small.size(), 10u);
}

} // namespace
} // namespace pipit::server
