// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/password_worker.hpp>

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

namespace pipit::server {
namespace {

broker::password_check check_of(std::string given) {
    return {.stored = "right", .given = std::move(given)};
}

TEST(PasswordWorker, TellsWhichPasswordIsRight) {
    password_worker worker;
    std::promise<bool> first;
    std::promise<bool> second;
    worker.ask("a", check_of("right"), [&](bool yes) { first.set_value(yes); });
    worker.ask("a", check_of("wrong"), [&](bool yes) { second.set_value(yes); });
    EXPECT_TRUE(first.get_future().get());
    EXPECT_FALSE(second.get_future().get());
}

TEST(PasswordWorker, GivesEachAddressItsTurn) {
    password_worker worker;
    std::promise<void> all_asked;
    std::promise<void> all_answered;
    std::vector<int> order;
    // The first answer holds the worker until the others have asked.
    worker.ask("first", check_of("x"), [&](bool) { all_asked.get_future().wait(); });
    const auto ask = [&](const std::string& address, int number) {
        worker.ask(address, check_of("x"), [&, number](bool) {
            order.push_back(number);
            if (order.size() == 6) all_answered.set_value();
        });
    };
    for (const int number : {11, 12, 13, 14}) ask("many", number);
    ask("one", 21);
    ask("other", 31);
    all_asked.set_value();
    all_answered.get_future().wait();
    EXPECT_EQ(order, (std::vector<int>{11, 21, 31, 12, 13, 14}));
}

TEST(PasswordWorker, MayEndWhileQuestionsWait) {
    password_worker worker;
    for (int i = 0; i < 10; ++i) worker.ask("a", check_of("x"), [](bool) {});
}

} // namespace
} // namespace pipit::server
