// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/account_excess.hpp>
#include <pipit/server/detail/monitoring_test_support.hpp>

#include <gtest/gtest.h>

#include <array>

namespace pipit::server {
namespace {

using testing::account_a_id;
using testing::global_id;
using testing::open_session;
using numbers = std::vector<std::uint64_t>;

/// Connections 1 to 6, by turns on two loops; 3 and 4 are of A, and 6 has not said who it is.
struct six_connections {
    six_connections() {
        for (std::uint64_t id = 1; id <= 6; ++id) {
            auto session = open_session(id, id == 3 || id == 4 ? account_a_id : global_id);
            session.authenticated = id != 6;
            loops[id % 2].sessions.push_back(session);
        }
    }
    numbers excess(std::int64_t of_global, std::int64_t of_a) const {
        auto config = *testing::empty_snapshot().configuration;
        config.accounts.at(0).limits.max_connections = of_global;
        config.accounts.at(1).limits.max_connections = of_a;
        return excess_connections(config.accounts, loops);
    }
    std::array<loop_snapshot, 2> loops;
};

TEST(AccountExcess, IsTheYoungestOfAllLoopsTogether) {
    const six_connections world;
    EXPECT_EQ(world.excess(2, -1), numbers{5});
    EXPECT_EQ(world.excess(1, -1), (numbers{2, 5}));
    EXPECT_EQ(world.excess(0, 1), (numbers{1, 2, 5, 4}));
}

TEST(AccountExcess, IsSeenInTheCountersOfAllLoops) {
    broker::account_configuration account;
    account.counters->connections = 2;
    EXPECT_FALSE(has_excess(account));
    account.limits.max_connections = 2;
    EXPECT_FALSE(has_excess(account));
    auto newer = account;
    newer.limits.max_connections = 1;
    EXPECT_TRUE(has_excess(newer));
}

TEST(AccountExcess, IsNobodyWithinTheLimitOrWithoutOne) {
    const six_connections world;
    EXPECT_EQ(world.excess(3, 2), numbers{});
    EXPECT_EQ(world.excess(-1, -1), numbers{});
}

} // namespace
} // namespace pipit::server
