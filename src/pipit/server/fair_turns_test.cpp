// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/fair_turns.hpp>

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace pipit::server {
namespace {

/// Writes down what happens on a loop.
struct FairTurns : testing::Test {
    /// A step of this name.
    fair_turns::step step(const std::string& name) {
        return steps[name] = std::make_shared<const std::function<void()>>(
                   [this, name] { happened.push_back(name); });
    }
    void run() {
        events.post([this] { stop_when_idle(20); });
        events.run();
    }
    /// After so many turns of the loop.
    void stop_when_idle(int turns_left) {
        if (turns_left == 0) return events.stop();
        events.post([this, turns_left] { stop_when_idle(turns_left - 1); });
    }

    net::event_loop events;
    fair_turns turns{events};
    std::map<std::string, fair_turns::step> steps;
    std::vector<std::string> happened;
};

TEST_F(FairTurns, AreGivenToEachPartyInTurn) {
    const party many("192.0.2.1");
    turns.ask(many, step("many 1"));
    turns.ask(many, step("many 2"));
    turns.ask(many, step("many 3"));
    turns.ask(party("192.0.2.2"), step("one"));
    run();
    EXPECT_EQ(happened, (std::vector<std::string>{"many 1", "one", "many 2", "many 3"}));
}

TEST_F(FairTurns, LeaveRoomForOthersBetweenThem) {
    const party of("192.0.2.1");
    turns.ask(of, step("first"));
    turns.ask(of, step("second"));
    events.post([this] { happened.emplace_back("something else"); });
    run();
    EXPECT_EQ(happened, (std::vector<std::string>{"first", "something else", "second"}));
}

TEST_F(FairTurns, AreNotGivenToWhoHasGone) {
    const party of("192.0.2.1");
    turns.ask(of, step("gone"));
    turns.ask(of, step("there"));
    steps.erase("gone");
    run();
    EXPECT_EQ(happened, (std::vector<std::string>{"there"}));
}

TEST_F(FairTurns, MayBeAskedForWithinOne) {
    fair_turns::step again;
    again = std::make_shared<const std::function<void()>>([&] {
        happened.emplace_back("again");
        if (happened.size() < 3) turns.ask(party(), again);
    });
    turns.ask(party(), again);
    run();
    EXPECT_EQ(happened.size(), 3u);
}

} // namespace
} // namespace pipit::server
