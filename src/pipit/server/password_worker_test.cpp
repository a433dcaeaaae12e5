// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/password_worker.hpp>

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

namespace pipit::server {
namespace {

broker::password_question question(std::uint64_t id, std::string address, std::string given) {
    return {.id = id, .address = std::move(address), .stored = "right", .given = std::move(given)};
}

TEST(PasswordWorker, TellsWhichPasswordIsRight) {
    password_worker worker;
    std::promise<bool> first;
    std::promise<bool> second;
    worker.ask(question(1, "a", "right"), [&](std::uint64_t, bool yes) { first.set_value(yes); });
    worker.ask(question(2, "a", "wrong"), [&](std::uint64_t, bool yes) { second.set_value(yes); });
    EXPECT_TRUE(first.get_future().get());
    EXPECT_FALSE(second.get_future().get());
}

TEST(PasswordWorker, GivesEachAddressItsTurn) {
    password_worker worker;
    std::promise<void> all_asked;
    std::promise<void> all_answered;
    std::vector<std::uint64_t> order;
    // The first answer holds the worker until the others have asked.
    worker.ask(question(0, "first", "x"),
               [&](std::uint64_t, bool) { all_asked.get_future().wait(); });
    const auto note = [&](std::uint64_t id, bool) {
        order.push_back(id);
        if (order.size() == 6) all_answered.set_value();
    };
    for (const std::uint64_t id : {11, 12, 13, 14}) worker.ask(question(id, "many", "x"), note);
    worker.ask(question(21, "one", "x"), note);
    worker.ask(question(31, "other", "x"), note);
    all_asked.set_value();
    all_answered.get_future().wait();
    EXPECT_EQ(order, (std::vector<std::uint64_t>{11, 21, 31, 12, 13, 14}));
}

TEST(PasswordWorker, MayEndWhileQuestionsWait) {
    password_worker worker;
    for (std::uint64_t id = 0; id < 10; ++id) {
        worker.ask(question(id, "a", "x"), [](std::uint64_t, bool) {});
    }
}

} // namespace
} // namespace pipit::server
