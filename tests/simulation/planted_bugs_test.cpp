// SPDX-License-Identifier: Apache-2.0
// A check that cannot fail proves nothing: each invariant's bug is found within the seeds of CI.
#include "client_world.hpp"
#include "worlds.hpp"

#include <pipit/broker/planted_bug.hpp>
#include <pipit/net/planted_bug.hpp>
#include <pipit/protocol/planted_bug.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit;
using broker::planted::bug;

/// As many as simulation_test runs.
constexpr std::uint64_t seeds = 150;

bool is_found(bug planted, sim::complaints (*run)(std::uint64_t seed)) {
    broker::planted::current = planted;
    bool found = false;
    for (std::uint64_t seed = 1; seed <= seeds && !found; ++seed) found = !run(seed).empty();
    broker::planted::current = bug::none;
    return found;
}

sim::complaints crowd_of_three_loops(std::uint64_t seed) {
    return sim::crowd_world({.seed = seed, .loops = 3}, {});
}

TEST(PlantedBug, AStaleMatchIsMissedByASubscriber) {
    EXPECT_TRUE(is_found(bug::keeps_stale_matches, crowd_of_three_loops));
}

TEST(PlantedBug, ASecondMemberOfAGroupIsSeen) {
    EXPECT_TRUE(is_found(bug::delivers_to_two_members, crowd_of_three_loops));
}

TEST(PlantedBug, AnEffectBeforeItsCauseIsSeen) {
    EXPECT_TRUE(is_found(bug::shows_effects_too_early, sim::flush_world) ||
                is_found(bug::shows_effects_too_early, sim::relay_world));
}

TEST(PlantedBug, ABrokenOrderIsSeen) {
    EXPECT_TRUE(is_found(bug::takes_batches_backwards, crowd_of_three_loops));
}

TEST(PlantedBug, ABatchThatHoldsUpOthersIsSeen) {
    EXPECT_TRUE(is_found(bug::stops_at_hidden_batches, sim::subscribe_world));
}

TEST(PlantedBug, InterestThatStaysBehindIsSeen) {
    EXPECT_TRUE(is_found(bug::forgets_to_withdraw, crowd_of_three_loops));
}

TEST(PlantedBug, ARequestWithoutAnOutcomeIsSeen) {
    EXPECT_TRUE(is_found(bug::drops_returned_messages, sim::request_world));
}

TEST(PlantedBug, AnImportThatIsDeliveredTwiceIsSeen) {
    EXPECT_TRUE(is_found(bug::delivers_to_two_members, sim::import_world));
}

TEST(PlantedBug, AnAnswerThatIsTakenTwiceIsSeen) {
    EXPECT_TRUE(is_found(bug::keeps_answered_requests, sim::import_world));
}

TEST(PlantedBug, InterestInAnAccountThatCameLaterIsMissed) {
    EXPECT_TRUE(is_found(bug::drops_early_interest, sim::account_world));
}

TEST(PlantedBug, WhatALoginLosesIsSeen) {
    EXPECT_TRUE(is_found(bug::drops_held_input, sim::login_world));
}

TEST(PlantedBug, ALoginThatAReloadHasOvertakenIsSeen) {
    EXPECT_TRUE(is_found(bug::believes_old_answers, sim::login_world));
}

bool is_found_in_the_client(protocol::planted::bug planted) {
    protocol::planted::current = planted;
    const bool found = is_found(bug::none, sim::client_world);
    protocol::planted::current = protocol::planted::bug::none;
    return found;
}

TEST(PlantedBug, AReplyToAnotherRequestIsSeen) {
    EXPECT_TRUE(is_found_in_the_client(protocol::planted::bug::confuses_replies));
}

TEST(PlantedBug, ASubscriptionThatDoesNotSurviveIsSeen) {
    EXPECT_TRUE(is_found_in_the_client(protocol::planted::bug::forgets_a_subscription));
}

sim::complaints crowd_by_websockets(std::uint64_t seed) {
    return sim::crowd_world({.seed = seed, .loops = 3, .websockets = true}, {});
}

TEST(PlantedBug, AMaskThatBeginsAnewInTheMiddleOfAFrameIsSeen) {
    net::planted::current = net::planted::bug::begins_every_mask_anew;
    EXPECT_TRUE(is_found(bug::none, crowd_by_websockets));
    net::planted::current = net::planted::bug::none;
}

TEST(PlantedBug, NothingIsFoundWhereNothingIsPlanted) {
    EXPECT_FALSE(is_found(bug::none, crowd_of_three_loops));
    EXPECT_FALSE(is_found(bug::none, crowd_by_websockets));
    EXPECT_FALSE(is_found(bug::none, sim::account_world));
    EXPECT_FALSE(is_found(bug::none, sim::login_world));
}

} // namespace
