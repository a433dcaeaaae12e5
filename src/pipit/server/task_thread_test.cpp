// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/clock.hpp>
#include <pipit/server/task_thread.hpp>

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

TEST(TaskThread, RunsTasksInTheirOrderAndLaterOnesWhenTheyAreDue) {
    task_thread worker("test");
    std::vector<int> order;
    std::promise<void> done;
    const auto now = net::steady_now();
    worker.post_at(now + 20ms, [&] {
        order.push_back(3);
        done.set_value();
    });
    worker.post([&] {
        order.push_back(1);
        worker.post([&] { order.push_back(2); });
    });
    done.get_future().wait();
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
    EXPECT_GE(net::steady_now(), now + 20ms);
}

TEST(TaskThread, MayEndWhileTasksWait) {
    task_thread worker("test");
    std::promise<void> running;
    worker.post([&] { running.set_value(); });
    worker.post_at(net::steady_now() + 1h, [] { FAIL(); });
    running.get_future().wait();
    worker.stop();
    worker.post([] { FAIL(); });
}

} // namespace
} // namespace pipit::server
