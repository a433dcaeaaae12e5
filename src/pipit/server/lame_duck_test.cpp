// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/lame_duck.hpp>

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

std::vector<std::uint64_t> ids(std::size_t count) {
    std::vector<std::uint64_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 1u);
    return numbers;
}

TEST(Farewell, ClosesEverybodyOnceInAnyOrder) {
    random_source random(1);
    farewell leaving(ids(100), 110s, random);
    std::vector<std::uint64_t> order;
    while (!leaving.done()) {
        const auto group = leaving.next_group();
        EXPECT_EQ(group.size(), 1u);
        order.insert(order.end(), group.begin(), group.end());
    }
    EXPECT_NE(order, ids(100));
    EXPECT_EQ(std::set(order.begin(), order.end()).size(), 100u);
}

TEST(Farewell, SpreadsThemOverTheTimeThatIsLeft) {
    random_source random(1);
    farewell leaving(ids(1000), 110s, random);
    nanoseconds total{};
    while (!leaving.done()) {
        (void)leaving.next_group();
        const auto pause = leaving.next_pause(random);
        EXPECT_GE(pause, 55ms);
        EXPECT_LE(pause, 110ms);
        total += pause;
    }
    EXPECT_LE(total, 110s);
}

TEST(Farewell, DoesNotMakeAFewWaitLongerThanASecond) {
    random_source random(1);
    farewell leaving(ids(2), 110s, random);
    (void)leaving.next_group();
    EXPECT_LE(leaving.next_pause(random), 1s);
}

TEST(Farewell, ClosesVeryManyInGroups) {
    random_source random(1);
    farewell leaving(ids(10000), 1s, random);
    int groups = 0;
    for (; !leaving.done(); ++groups) (void)leaving.next_group();
    EXPECT_LE(groups, 1000);
    EXPECT_GT(groups, 500);
}

} // namespace
} // namespace pipit::server
