// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/session.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pipit::broker {
namespace {

TEST(SessionPermissions, DecideTheSameAboutEverySubjectHoweverManyThereAre) {
    session_permissions of(auth::permissions::make({.publish_allow = {"open.>"}}).value());
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 5000; ++i) {
            const auto number = std::to_string(i % (round == 0 ? 5000 : 3));
            ASSERT_TRUE(of.may_publish("open." + number, 7, {})) << number;
            ASSERT_FALSE(of.may_publish("shut." + number, 7, {})) << number;
            ASSERT_FALSE(of.allowed_last("open." + number));
        }
    }
    ASSERT_TRUE(of.may_publish("open.1", 7, {}));
    EXPECT_TRUE(of.allowed_last("open.1"));
}

} // namespace
} // namespace pipit::broker
