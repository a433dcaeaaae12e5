// SPDX-License-Identifier: Apache-2.0
// The end of a connection with more subscriptions than are ended at a time.
#include <pipit/base/closing_limits.hpp>
#include <pipit/broker/account_update.hpp>
#include <pipit/broker/broker.hpp>
#include <pipit/broker/detail/test_brokers.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace {

using namespace pipit;
using namespace std::chrono_literals;
using broker::close_reason;
using broker::test_brokers;

const std::string plain = "\"headers\":true,\"no_responders\":true,\"protocol\":1";
constexpr auto many = 3 * limits::subscriptions_ended_at_a_time;

/// Many subjects, one of them with the group `q` too, and a wildcard.
test_brokers::client& greedy(test_brokers& loops, unsigned loop = 0) {
    auto& made = loops.connect(plain, loop);
    std::string lines;
    for (std::size_t i = 0; i < many; ++i) {
        const auto number = std::to_string(i);
        lines.append("SUB s." + number + " " + number + "\r\n");
    }
    loops.send(made, lines + "SUB work q a\r\nSUB wild.> b\r\n");
    return made;
}

void end(test_brokers& loops, test_brokers::client& client) {
    client.of->lost(*client.its_session, close_reason::client_closed, loops.now);
    loops.flush();
    ASSERT_TRUE(client.closed);
}

/// What the requester is told of the last subject of all; nothing when it waits.
std::string ask(test_brokers& loops, test_brokers::client& from, const std::string& subject) {
    loops.send(from, "PUB " + subject + " answer 0\r\n\r\n");
    return loops.take(from);
}

TEST(Leaving, NothingOfAConnectionThatHasEndedIsSeenAnyMore) {
    test_brokers loops;
    auto& asks = loops.connect(plain);
    loops.send(asks, "SUB answer 1\r\nSUB work q 2\r\n");
    loops.take(asks);
    end(loops, greedy(loops));
    const auto statistics = loops.core().statistics();
    EXPECT_EQ(statistics.connections, 1u);
    EXPECT_EQ(statistics.subscriptions, 2u);
    EXPECT_EQ(statistics.subscription_removes, many + 2);
    EXPECT_EQ(loops.core().subscriptions({.limit = many}).total, 2u);
    EXPECT_EQ(loops.core().subscriptions({.test = "s.7", .limit = 9}).total, 0u);
    EXPECT_EQ(loops.core().subscriptions({.test = "work", .limit = 9}).total, 1u);
    // Where it still stands in the index, and where it does not any more.
    for (const auto* subject : {"s.0", "s.4000", "wild.x"}) {
        EXPECT_NE(ask(loops, asks, subject).find("NATS/1.0 503"), std::string::npos) << subject;
    }
    for (int i = 0; i < 20; ++i) {
        loops.send(asks, "PUB work 0\r\n\r\n");
        EXPECT_EQ(loops.take(asks), "MSG work 2 0\r\n\r\n");
    }
}

TEST(Leaving, TakesOneTurnAfterTheOther) {
    test_brokers loops;
    end(loops, greedy(loops));
    int turns = 0;
    while (loops.core().next_deadline() && *loops.core().next_deadline() <= loops.now.steady) {
        loops.pass(0ns);
        ASSERT_LT(++turns, 100);
    }
    EXPECT_GE(turns, 3);
    EXPECT_EQ(loops.core().accounts()[0].subject_count, 0u);
}

TEST(Leaving, OthersMayWantTheSameMeanwhile) {
    test_brokers loops;
    auto& other = loops.connect(plain);
    end(loops, greedy(loops));
    loops.send(other, "SUB s.4000 1\r\nSUB wild.> 2\r\n");
    for (int i = 0; i < 10; ++i) loops.pass(0ns);
    loops.send(other, "PUB s.4000 0\r\n\r\nPUB wild.x 0\r\n\r\n");
    EXPECT_EQ(loops.take(other), "MSG s.4000 1 0\r\n\r\nMSG wild.x 2 0\r\n\r\n");
    EXPECT_EQ(loops.core().accounts()[0].subject_count, 2u);
}

TEST(Leaving, OtherLoopsAreToldNothingThatIsNotTrue) {
    test_brokers loops(broker::open_configuration(), 2);
    auto& asks = loops.connect(plain, 1);
    auto& works = loops.connect(plain, 1);
    loops.send(asks, "SUB answer 1\r\n");
    loops.send(works, "SUB work q 1\r\n");
    loops.take(asks);
    end(loops, greedy(loops));
    for (int turn = 0; turn < 10; ++turn) {
        for (const auto* subject : {"s.0", "s.4000", "wild.x"}) {
            EXPECT_NE(ask(loops, asks, subject).find("NATS/1.0 503"), std::string::npos) << subject;
        }
        for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(loops, asks, "work"), "");
        loops.pass(0ns);
    }
    EXPECT_EQ(loops.core(1).accounts()[0].subject_count, 2u);
    std::size_t got = 0;
    const auto text = loops.take(works);
    for (auto at = text.find("MSG"); at != std::string::npos; at = text.find("MSG", at + 1)) ++got;
    EXPECT_EQ(got, 100u);
}

TEST(Leaving, AReloadFinishesIt) {
    test_brokers loops;
    end(loops, greedy(loops));
    loops.core().reconfigure(broker::open_configuration(), loops.now);
    EXPECT_EQ(loops.core().accounts()[0].subject_count, 0u);
}

TEST(Leaving, AnAccountThatComesMeanwhileDoesNotHurryTheOthers) {
    test_brokers loops;
    const auto put = [&](broker::account_id id) {
        auto made = std::make_shared<broker::account_configuration>();
        made->id = id;
        loops.core().put_account({std::move(made), {}}, loops.now);
    };
    end(loops, greedy(loops));
    const auto its_own = loops.core().accounts()[0].id;
    put(broker::account_id{77});
    EXPECT_GT(loops.core().accounts()[0].subject_count, 0u);
    put(its_own);
    EXPECT_EQ(loops.core().accounts()[0].subject_count, 0u);
}

TEST(Leaving, AServerMayEndMeanwhile) {
    test_brokers loops;
    (void)greedy(loops);
    end(loops, greedy(loops));
}

} // namespace
