// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/fair_worker.hpp>

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace pipit::server {
namespace {

TEST(FairWorker, GivesEachAddressItsTurn) {
    std::promise<void> all_posted;
    std::promise<void> all_done;
    std::vector<int> order;
    fair_worker worker("test");
    // The first task holds the worker until the others wait.
    worker.post("first", [&] { all_posted.get_future().wait(); });
    const auto post = [&](const std::string& address, int number) {
        worker.post(address, [&, number] {
            order.push_back(number);
            if (order.size() == 6) all_done.set_value();
        });
    };
    for (const int number : {11, 12, 13, 14}) post("many", number);
    post("one", 21);
    post("other", 31);
    all_posted.set_value();
    all_done.get_future().wait();
    EXPECT_EQ(order, (std::vector<int>{11, 21, 31, 12, 13, 14}));
}

TEST(FairWorker, MayEndWhileTasksWait) {
    fair_worker worker("test");
    for (int i = 0; i < 10; ++i) worker.post("a", [] {});
}

} // namespace
} // namespace pipit::server
