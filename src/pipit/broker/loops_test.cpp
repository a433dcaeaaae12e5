// SPDX-License-Identifier: Apache-2.0
// What holds on one loop holds on several too.
#include <pipit/auth/permissions.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/broker/account_update.hpp>
#include <pipit/broker/detail/test_brokers.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace {

using namespace pipit;
using namespace std::chrono_literals;
using broker::account_id;
using broker::open_configuration;
using broker::test_brokers;

const std::string plain = "\"headers\":true,\"no_responders\":true,\"protocol\":1";
constexpr account_id late{7};

/// A message of 1,000 bytes.
std::string thousand(const std::string& subject) {
    return "PUB " + subject + " 1000\r\n" + std::string(1000, 'x') + "\r\n";
}

std::string times(std::size_t count, const std::string& text) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
}

std::size_t count_of(const std::string& text, std::string_view wanted) {
    std::size_t count = 0;
    for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) {
        ++count;
    }
    return count;
}

bool waits(test_brokers::client& client) { return client.of->reading_paused(*client.its_session); }

// --- Accounts that loops learn of one after the other ---

broker::account_configuration late_account() {
    broker::account_configuration made;
    made.id = late;
    made.name = "late";
    return made;
}

TEST(AnAccountThatALoopDoesNotKnowYet, HasItsInterestThereWhenItDoes) {
    test_brokers loops(open_configuration(), 2);
    auto after = open_configuration();
    after->accounts.push_back(late_account());
    after->authorization.users["u"] = {.name = "u", .account = late};
    const auto user = plain + ",\"user\":\"u\"";
    loops.core(0).reconfigure(after, loops.now);
    auto& reader = loops.connect(user, 0);
    loops.send(reader, "SUB a 1\r\nSUB a q 2\r\nSUB b.> 3\r\nSUB b.> q 4\r\n");
    loops.send(reader, "UNSUB 3\r\nUNSUB 4\r\n");
    EXPECT_FALSE(loops.core(1).numbers_of(late));
    loops.core(1).reconfigure(after, loops.now);
    auto& publisher = loops.connect(user, 1);
    loops.send(publisher, "SUB r 1\r\nPUB a 1\r\nx\r\nPUB b.c r 0\r\n\r\n");
    EXPECT_EQ(loops.take(reader), "MSG a 1 1\r\nx\r\nMSG a 2 1\r\nx\r\n");
    EXPECT_NE(loops.take(publisher).find("503"), std::string::npos);
    loops.send(reader, "UNSUB 1\r\nUNSUB 2\r\n");
    loops.send(publisher, "PUB a r 0\r\n\r\n");
    EXPECT_NE(loops.take(publisher).find("503"), std::string::npos);
}

TEST(AnAccountThatALoopDoesNotKnowYet, ByJwtMayBeServedByTheServerItselfElsewhere) {
    test_brokers loops(open_configuration(), 2);
    const auto config = std::make_shared<const broker::account_configuration>(late_account());
    loops.core(0).put_account({config, {}}, loops.now);
    loops.core(0).subscribe(late, "svc", [](const broker::internal_message&, moment) {});
    loops.flush();
    EXPECT_FALSE(loops.core(1).is_wanted(late, "svc"));
    loops.core(1).put_account({config, {}}, loops.now);
    EXPECT_TRUE(loops.core(1).is_wanted(late, "svc"));
}

// --- Bounds ---

TEST(AFullQueue, HoldsAPublisherUntilItsLoopHasTakenSomething) {
    test_brokers loops(open_configuration(), 2);
    auto& reader = loops.connect(plain, 1);
    auto& publisher = loops.connect(plain, 0);
    loops.send(reader, "SUB a 1\r\n");
    loops.receive(publisher, times(limits::peer_waiting_bytes / 1000, thousand("a")));
    loops.core(0).end_batch(loops.now);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(waits(publisher));
        loops.now.steady += 20ms;
        loops.core(0).expire(loops.now);
    }
    EXPECT_TRUE(waits(publisher));
    loops.flush();
    loops.pass(20ms);
    EXPECT_FALSE(waits(publisher));
}

/// A slow reader's limit is far below what its loop is sent at once.
struct small_outputs {
    static std::shared_ptr<broker::configuration> configuration() {
        auto config = open_configuration();
        config->max_pending_bytes = 100'000;
        return config;
    }
    /// Before the reader's loop takes anything.
    void publish() {
        loops.receive(publisher, times(messages, thousand("a")));
        loops.core(0).end_batch(loops.now);
    }
    void expect_all_read() {
        EXPECT_FALSE(reader.closed);
        EXPECT_EQ(count_of(reader.received, "MSG a 1 1000\r\n"), messages);
    }

    static constexpr std::size_t messages = 150;
    test_brokers loops{configuration(), 2};
    test_brokers::client& reader = loops.connect(plain, 1);
    test_brokers::client& publisher = loops.connect(plain, 0);
    small_outputs() { loops.send(reader, "SUB a 1\r\n"); }
};

TEST(WhatOtherLoopsSend, IsFlushedInPartsToAReaderThatTakesAll) {
    small_outputs one;
    one.publish();
    one.loops.flush();
    one.expect_all_read();
}

TEST(WhatOtherLoopsSend, ComesInPartsBeforeWhatWasReadIsParsed) {
    small_outputs one;
    auto& other = one.loops.connect(plain, 1);
    one.publish();
    one.loops.send(other, "PUB a 4\r\nlast\r\nPING\r\n");
    one.expect_all_read();
    EXPECT_TRUE(one.reader.received.ends_with("x\r\nMSG a 1 4\r\nlast\r\n"));
    EXPECT_TRUE(one.loops.take(other).starts_with("PONG\r\n"));
}

TEST(WhatOtherLoopsSend, ComesBeforeTheEndOfALargeMessageThatWasReadDirectly) {
    small_outputs one;
    auto& writer = one.loops.connect(plain, 1);
    one.loops.send(writer, "SUB b 1\r\nPUB b 40000\r\nx");
    one.publish();
    one.loops.send_directly(writer, std::string(39'999, 'x') + "\r\n");
    one.expect_all_read();
    EXPECT_EQ(one.loops.take(writer), "MSG b 1 40000\r\n" + std::string(40'000, 'x') + "\r\n");
}

TEST(WhatOtherLoopsSend, ComesInPartsWhenTimePasses) {
    small_outputs one;
    one.publish();
    one.loops.pass(1ms);
    one.expect_all_read();
}

/// A reader that takes nothing, and a publisher on the same loop or another.
struct slow_reader {
    explicit slow_reader(unsigned loop, bool stalls = true)
        : config(small_outputs::configuration()) {
        config->stall_fast_producers = stalls;
        loops = std::make_unique<test_brokers>(config, 2);
        reader = &loops->connect(plain, loop);
        publisher = &loops->connect(plain, 0);
        loops->send(*reader, "SUB a 1\r\n");
        reader->window = 0;
    }
    std::shared_ptr<broker::configuration> config;
    std::unique_ptr<test_brokers> loops;
    test_brokers::client* reader = nullptr;
    test_brokers::client* publisher = nullptr;
};

TEST(ASlowReader, StallsPublishersOfAllLoops) {
    for (const unsigned loop : {0u, 1u}) {
        slow_reader one(loop);
        auto& loops = *one.loops;
        for (int i = 0; i < 70; ++i) loops.send(*one.publisher, thousand("a"));
        EXPECT_FALSE(waits(*one.publisher)) << loop;
        for (int i = 0; i < 12; ++i) loops.send(*one.publisher, thousand("a"));
        EXPECT_TRUE(waits(*one.publisher)) << loop;
        EXPECT_GT(loops.core(0).statistics().stalled_clients, 0u) << loop;
        loops.pass(20ms);
        EXPECT_FALSE(waits(*one.publisher)) << loop;
        EXPECT_FALSE(one.reader->closed) << loop;
    }
}

TEST(ASlowReader, LosesMessagesOfAllLoopsWhereNobodyIsStalled) {
    for (const unsigned loop : {0u, 1u}) {
        slow_reader one(loop, false);
        for (int i = 0; i < 200; ++i) one.loops->send(*one.publisher, thousand("a"));
        EXPECT_FALSE(one.reader->closed) << loop;
        EXPECT_FALSE(waits(*one.publisher)) << loop;
    }
}

// --- Queue groups whose members leave ---

TEST(AGroupsMessage, GoesToAMemberOfItsLoopThatStoodAllAlong) {
    test_brokers loops(open_configuration(), 2);
    auto& publisher = loops.connect(plain, 0);
    auto& leaves = loops.connect(plain, 1);
    auto& stays = loops.connect(plain, 1);
    loops.send(publisher, "SUB r 1\r\n");
    loops.send(stays, "SUB * q 2\r\n");
    for (int i = 0; i < 20; ++i) {
        loops.send(leaves, "SUB foo q 1\r\n");
        loops.receive(publisher, "PUB foo r 0\r\n\r\n");
        loops.receive(leaves, "UNSUB 1\r\n");
        loops.flush();
        EXPECT_EQ(loops.take(stays), "MSG foo 2 r 0\r\n\r\n");
        EXPECT_EQ(loops.take(leaves), "");
    }
    EXPECT_EQ(loops.take(publisher), "");
}

TEST(AGroupsMessage, ThatComesBackHoldsUpItsPublisherForNoLongerThanAStall) {
    test_brokers loops(small_outputs::configuration(), 2);
    auto& publisher = loops.connect(plain, 0);
    auto& slow = loops.connect(plain, 0);
    auto& leaves = loops.connect(plain, 1);
    loops.send(slow, "SUB work q 1\r\nSUB a 2\r\n");
    slow.window = 0;
    loops.send(loops.connect(plain, 0), times(80, thousand("a")));
    int came_back = 0;
    for (int i = 0; i < 20; ++i) {
        loops.send(leaves, "SUB work q 1\r\n");
        loops.receive(publisher, "PUB work 0\r\n\r\n");
        const bool chose_here = waits(publisher);
        loops.receive(leaves, "UNSUB 1\r\n");
        loops.flush();
        EXPECT_EQ(loops.take(leaves), "");
        came_back += chose_here ? 0 : 1;
        loops.pass(20ms);
        ASSERT_FALSE(waits(publisher)) << (chose_here ? "delivered at once" : "came back");
    }
    EXPECT_GT(came_back, 0);
}

// --- Requests ---

/// All answers of one loop come to the first before those of the other.
void answer_one_after_the_other(test_brokers& loops) {
    loops.core(0).end_batch(loops.now);
    for (const unsigned loop : {1u, 2u}) {
        loops.core(loop).take_from_peers(loops.now);
        loops.core(loop).end_batch(loops.now);
        loops.core(0).take_from_peers(loops.now);
    }
    loops.flush();
}

TEST(Requests, AreEachToldThatNobodyIsThereHoweverManyAreUnderWay) {
    test_brokers loops(broker::denying_configuration({"x.secret"}), 3);
    auto& asks = loops.connect(plain + ",\"user\":\"all\"", 0);
    for (const unsigned loop : {1u, 2u}) {
        loops.send(loops.connect(plain + ",\"user\":\"some\"", loop), "SUB x.* 1\r\n");
    }
    loops.send(asks, "SUB r.* 1\r\n");
    constexpr std::size_t requests = 2000;
    loops.receive(asks, times(requests, "PUB x.secret r.1 0\r\n\r\n"));
    answer_one_after_the_other(loops);
    EXPECT_EQ(count_of(loops.take(asks), "NATS/1.0 503"), requests);
}

TEST(Requests, ToOneLoopAreToldSoWhateverIsAwaitedOfOthers) {
    test_brokers loops(broker::denying_configuration({"x.*", "y.*"}), 3);
    auto& asks = loops.connect(plain + ",\"user\":\"all\"", 0);
    auto& one = loops.connect(plain + ",\"user\":\"some\"", 1);
    auto& two = loops.connect(plain + ",\"user\":\"some\"", 2);
    loops.send(asks, "SUB r.* 1\r\n");
    loops.send(one, "SUB *.two 1\r\nSUB *.one 2\r\n");
    loops.send(two, "SUB *.two 1\r\n");
    // The first waits for two loops, and as many that wait for one have its place in turn.
    loops.receive(asks, "PUB x.two r.first 0\r\n\r\n" +
                            times(limits::unanswered_requests, "PUB x.one r.other 0\r\n\r\n"));
    answer_one_after_the_other(loops);
    const auto told = loops.take(asks);
    EXPECT_EQ(count_of(told, "HMSG r.other "), limits::unanswered_requests);
    EXPECT_EQ(count_of(told, "HMSG r.first "), 1u);
}

} // namespace
