// SPDX-License-Identifier: Apache-2.0
// Whole servers in one thread. A failure names its seed; PIPIT_SEED=<seed> replays it alone.
#include "crowd.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

namespace {

using namespace pipit;
using namespace std::chrono_literals;

constexpr std::uint64_t seeds_by_default = 150;

/// Runs a world for each seed, or for PIPIT_SEED alone; PIPIT_SEEDS says how many.
void for_each_seed(const std::function<void(std::uint64_t seed)>& run) {
    if (const auto seed = sim::seed_from_environment(0); seed != 0) return run(seed);
    const char* wanted = std::getenv("PIPIT_SEEDS");
    const auto count = wanted == nullptr ? seeds_by_default : std::strtoull(wanted, nullptr, 10);
    for (std::uint64_t seed = 1; seed <= count; ++seed) {
        run(seed);
        if (testing::Test::HasFailure()) return;
    }
}

void run_crowd(unsigned loops, sim::crowd::settings settings) {
    std::size_t delivered = 0;
    for_each_seed([&](std::uint64_t seed) {
        sim::world world({.seed = seed, .loops = loops});
        sim::crowd crowd(world, settings);
        crowd.run();
        delivered += crowd.delivered();
        for (const auto& complaint : crowd.complaints()) {
            ADD_FAILURE() << complaint << "\n  replay: PIPIT_SEED=" << seed;
        }
    });
    EXPECT_GT(delivered, 0u);
}

TEST(Simulation, OneLoopDeliversInOrderExactlyOnceAndLeavesNothing) { run_crowd(1, {}); }

TEST(Simulation, ThreeLoopsGuaranteeWhatOneDoes) { run_crowd(3, {}); }

TEST(Simulation, CutConnectionsTakeNothingFromOthers) {
    run_crowd(3, {.clients = 12, .cuts = true});
}

TEST(Simulation, ReadersThatStopHoldUpNobodyElse) { run_crowd(2, {.stops_readers = true}); }

TEST(Simulation, ASeedReplaysTheSameRun) {
    const auto steps_of = [] {
        sim::world world({.seed = 7, .loops = 3});
        sim::crowd crowd(world, {.cuts = true});
        crowd.run();
        return world.step_count();
    };
    EXPECT_EQ(steps_of(), steps_of());
}

/// Publish and flush on one loop, then somebody else publishes on another: a third sees both in
/// this order.
TEST(Simulation, AFlushedMessageComesBeforeWhatAnybodyPublishesAfterwards) {
    for_each_seed([](std::uint64_t seed) {
        sim::world world({.seed = seed, .loops = 3});
        auto& first = world.connect(0);
        auto& second = world.connect(1);
        auto& reader = world.connect(2);
        std::string seen;
        reader.on_message = [&](const auto& message) { seen += message.payload; };
        for (auto* each : {&first, &second, &reader}) each->connect();
        reader.subscribe("s", "1");
        reader.flush([&] {
            first.publish("s", "1");
            first.flush([&] { second.publish("s", "2"); });
        });
        world.run(1s);
        EXPECT_EQ(seen, "12") << "replay: PIPIT_SEED=" << seed;
    });
}

/// Subscribe to an inbox, request, the request is relayed, the reply comes from a third loop - and
/// nobody waited for anything.
TEST(Simulation, AReplyFromAThirdLoopFindsTheInbox) {
    for_each_seed([](std::uint64_t seed) {
        sim::world world({.seed = seed, .loops = 3});
        auto& requester = world.connect(0);
        auto& relay = world.connect(1);
        auto& responder = world.connect(2);
        int replies = 0;
        requester.on_message = [&](const auto& message) { replies += message.payload == "answer"; };
        relay.on_message = [&](const auto& message) {
            relay.publish("inner", message.payload, message.reply);
        };
        responder.on_message = [&](const auto& message) {
            responder.publish(message.reply, "answer");
        };
        for (auto* each : {&requester, &relay, &responder}) each->connect();
        relay.subscribe("outer", "1");
        responder.subscribe("inner", "1");
        int ready = 0;
        const auto begin = [&] {
            if (++ready < 2) return;
            requester.subscribe("_INBOX.1", "1");
            requester.publish("outer", "question", "_INBOX.1");
        };
        relay.flush(begin);
        responder.flush(begin);
        world.run(1s);
        EXPECT_EQ(replies, 1) << "replay: PIPIT_SEED=" << seed;
    });
}

/// The responders come and go while requests are under way: each request has exactly one outcome,
/// an answer or the 503.
TEST(Simulation, ARequestIsAnsweredOrToldThatNobodyIsThere) {
    for_each_seed([](std::uint64_t seed) {
        sim::world world({.seed = seed, .loops = 3});
        auto& requester = world.connect(0);
        std::map<std::string, int> outcomes;
        requester.on_message = [&](const auto& message) { ++outcomes[message.subject]; };
        requester.connect();
        requester.subscribe("_INBOX.*", "1");
        for (unsigned i = 0; i < 2; ++i) {
            auto& responder = world.connect(1 + i);
            responder.connect();
            responder.on_message = [&responder](const auto& message) {
                responder.publish(message.reply, "answer");
            };
            for (int round = 0; round < 10; ++round) {
                const auto sid = std::to_string(round + 1);
                const auto at = nanoseconds(world.random()() % 100'000'000);
                world.after(at, [&responder, sid] { responder.subscribe("svc", sid, "q"); });
                world.after(at + 5ms, [&responder, sid] { responder.unsubscribe(sid); });
            }
        }
        constexpr int requests = 40;
        for (int i = 0; i < requests; ++i) {
            world.after(nanoseconds(world.random()() % 100'000'000), [&requester, i] {
                requester.publish("svc", "question", "_INBOX." + std::to_string(i));
            });
        }
        world.run(2s);
        EXPECT_EQ(outcomes.size(), requests) << "replay: PIPIT_SEED=" << seed;
        for (const auto& [subject, count] : outcomes) {
            EXPECT_EQ(count, 1) << subject << ", replay: PIPIT_SEED=" << seed;
        }
    });
}

} // namespace
