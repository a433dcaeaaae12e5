// SPDX-License-Identifier: Apache-2.0
// Whole servers in one thread. A failure names its seed; PIPIT_SEED=<seed> replays it alone, and
// PIPIT_SEEDS says how many are run.
#include "worlds.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

namespace {

using namespace pipit;

constexpr std::uint64_t seeds_by_default = 150;

void expect_no_complaints(const std::function<sim::complaints(std::uint64_t seed)>& run) {
    const auto only = sim::seed_from_environment(0);
    const char* wanted = std::getenv("PIPIT_SEEDS");
    const auto count = wanted == nullptr ? seeds_by_default : std::strtoull(wanted, nullptr, 10);
    const auto first = only == 0 ? 1 : only;
    const auto last = only == 0 ? count : only;
    for (auto seed = first; seed <= last; ++seed) {
        for (const auto& complaint : run(seed)) {
            ADD_FAILURE() << complaint << "\n  replay: PIPIT_SEED=" << seed;
        }
        if (testing::Test::HasFailure()) return;
    }
}

TEST(Simulation, OneLoopDeliversInOrderExactlyOnceAndLeavesNothing) {
    expect_no_complaints([](auto seed) { return sim::crowd_world({.seed = seed}, {}); });
}

TEST(Simulation, ThreeLoopsGuaranteeWhatOneDoes) {
    expect_no_complaints(
        [](auto seed) { return sim::crowd_world({.seed = seed, .loops = 3}, {}); });
}

TEST(Simulation, WebSocketsInAnyFramesCarryWhatOthersDo) {
    expect_no_complaints([](auto seed) {
        return sim::crowd_world({.seed = seed, .loops = 3, .websockets = true},
                                {.clients = 12, .cuts = seed % 2 == 0});
    });
}

TEST(Simulation, CutConnectionsTakeNothingFromOthers) {
    expect_no_complaints([](auto seed) {
        return sim::crowd_world({.seed = seed, .loops = 3}, {.clients = 12, .cuts = true});
    });
}

TEST(Simulation, ReadersThatStopHoldUpNobodyElse) {
    expect_no_complaints([](auto seed) {
        return sim::crowd_world({.seed = seed, .loops = 2, .socket_bytes = 8 * 1024},
                                {.stops_readers = true});
    });
}

TEST(Simulation, AFlushedMessageComesBeforeWhatAnybodyPublishesAfterwards) {
    expect_no_complaints(sim::flush_world);
}

TEST(Simulation, ASubscriptionThatWasConfirmedMissesNothing) {
    expect_no_complaints(sim::subscribe_world);
}

TEST(Simulation, AReplyFromAThirdLoopFindsTheInbox) { expect_no_complaints(sim::relay_world); }

TEST(Simulation, ARequestIsAnsweredOrToldThatNobodyIsThere) {
    expect_no_complaints(sim::request_world);
}

TEST(Simulation, WhatAccountsImportComesOnceAndIsAnsweredOnce) {
    expect_no_complaints(sim::import_world);
}

TEST(Simulation, AnAccountThatComesIsWholeOnAllLoops) { expect_no_complaints(sim::account_world); }

TEST(Simulation, WhoIsCheckedForLongIsServedFromTheFirstLineOrNotAtAll) {
    expect_no_complaints(sim::login_world);
}

TEST(Simulation, ASeedReplaysTheSameRun) {
    const auto steps_of = [] {
        sim::world world({.seed = 7, .loops = 3});
        sim::crowd crowd(world, {.cuts = true});
        crowd.run();
        return world.step_count();
    };
    EXPECT_EQ(steps_of(), steps_of());
}

} // namespace
