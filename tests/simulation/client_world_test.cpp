// SPDX-License-Identifier: Apache-2.0
// PIPIT_SEED=<seed> replays one alone, and PIPIT_SEEDS says how many are run.
#include "client_world.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace {

using namespace pipit;

TEST(ClientSimulation, EverythingIsAnsweredOnceAndSubscriptionsSurvive) {
    const auto only = sim::seed_from_environment(0);
    const char* wanted = std::getenv("PIPIT_SEEDS");
    const std::uint64_t count = wanted == nullptr ? 200 : std::strtoull(wanted, nullptr, 10);
    for (auto seed = only == 0 ? 1 : only; seed <= (only == 0 ? count : only); ++seed) {
        for (const auto& complaint : sim::client_world(seed)) {
            ADD_FAILURE() << complaint << "\n  replay: PIPIT_SEED=" << seed;
        }
        if (testing::Test::HasFailure()) return;
    }
}

} // namespace
