// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/fair_worker.hpp>

#include <pipit/base/party.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <vector>

namespace pipit::server {
namespace {

/// Who posts tasks in this order has them done in which?
std::vector<int> order_of(const std::vector<std::pair<std::string, int>>& posted) {
    std::promise<void> all_posted;
    std::promise<void> all_done;
    std::vector<int> order;
    fair_worker<party> worker("test");
    // The first task holds the worker until the others wait.
    worker.post(party("192.0.2.0"), [&] { all_posted.get_future().wait(); });
    for (const auto& [address, number] : posted) {
        worker.post(party(address), [&, number = number] {
            order.push_back(number);
            if (order.size() == posted.size()) all_done.set_value();
        });
    }
    all_posted.set_value();
    EXPECT_EQ(all_done.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
    return order;
}

TEST(FairWorker, GivesEachAddressItsTurn) {
    EXPECT_EQ(order_of({{"192.0.2.1", 11},
                        {"192.0.2.1", 12},
                        {"192.0.2.1", 13},
                        {"192.0.2.1", 14},
                        {"192.0.2.2", 21},
                        {"192.0.2.3", 31}}),
              (std::vector<int>{11, 21, 31, 12, 13, 14}));
}

TEST(FairWorker, GivesANetworkOfIpv6OneTurn) {
    EXPECT_EQ(
        order_of(
            {{"2001:db8::1", 11}, {"2001:db8::2", 12}, {"2001:db8::3", 13}, {"2001:db8:1::1", 21}}),
        (std::vector<int>{11, 21, 12, 13}));
}

TEST(FairWorker, MayEndWhileTasksWait) {
    fair_worker<party> worker("test");
    for (int i = 0; i < 10; ++i) worker.post(party(), [] {});
}

} // namespace
} // namespace pipit::server
