// SPDX-License-Identifier: Apache-2.0
// Threads that wait in a `blocking_connection` read the socket themselves: what must stay true.
#include <support/client_world.hpp>

#include <pipit/client/detail/blocking_wait.hpp>

#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

namespace pipit::client {
namespace {

using namespace support;

/// After this nothing but what a test does calls the thread in the background for a while.
void ask_some(blocking_connection& nats) {
    for (int i = 0; i < 20; ++i) nats.flush().value();
}

TEST(BlockingWait, CallbacksRunOnOneThreadWhichIsNoneThatWaits) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    std::mutex mutex;
    std::set<std::thread::id> callers;
    auto echo = nats.subscribe("echo", [&](const message& request) {
        const std::lock_guard held(mutex);
        callers.insert(std::this_thread::get_id());
        EXPECT_TRUE(nats.respond(request, request.payload()));
    });
    std::set<std::thread::id> waiting;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < 50; ++k) {
                nats.request("echo", "x").value();
                ask_some(nats);
            }
        });
        waiting.insert(threads.back().get_id());
    }
    for (auto& each : threads) each.join();
    ASSERT_EQ(callers.size(), 1u);
    EXPECT_FALSE(waiting.contains(*callers.begin()));
}

TEST(BlockingWait, CallbacksForWhatCameBeforeAnAnswerComeBeforeIt) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    std::atomic<int> count = 0;
    auto counted = nats.subscribe("a", [&](const message&) { ++count; });
    auto service = nats.subscribe("service").value();
    auto silent = nats.subscribe("silent").value();
    std::thread answers([&] {
        for (const auto& asked : service) EXPECT_TRUE(nats.respond(asked, ""));
    });
    for (int i = 1; i <= 300; ++i) {
        nats.publish("a", "").value();
        if (i % 2 == 0) {
            nats.flush().value();
        } else {
            nats.request("service", "").value();
        }
        ASSERT_EQ(count, i);
        // Now and then there is a pause.
        EXPECT_EQ(silent.next(1ms * (i % 25)).error(), protocol::errc::timeout);
    }
    service.unsubscribe();
    answers.join();
}

TEST(BlockingWait, ALockThatACallbackWantsMayBeHeldWhileOneWaits) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    std::mutex users;
    std::atomic<int> count = 0;
    auto counted = nats.subscribe("a", [&](const message&) {
        const std::lock_guard held(users);
        ++count;
    });
    auto next = nats.subscribe("b").value();
    nats.flush().value();
    for (int i = 1; i <= 20; ++i) {
        {
            const std::lock_guard held(users);
            nats.publish("b", "").value();
            nats.publish("a", "").value();
            EXPECT_TRUE(next.next());
        }
        nats.flush().value();
        EXPECT_EQ(count, i);
    }
}

TEST(BlockingWait, IsCalledBackWhenNobodyWaitsAnyMore) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    blocking_connection other({.servers = {server->url()}});
    nats.connect().value();
    other.connect().value();
    std::promise<void> called;
    auto once = nats.subscribe("a", [&](const message&) { called.set_value(); });
    ask_some(nats);
    other.publish("a", "").value();
    EXPECT_EQ(called.get_future().wait_for(patience), std::future_status::ready);
}

TEST(BlockingWait, EndsInTimeWhoeverReads) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto silent = nats.subscribe("silent").value();
    ask_some(nats);
    EXPECT_EQ(nats.request("silent", "", {.timeout = 20ms}).error(), protocol::errc::timeout);
    EXPECT_TRUE(silent.try_next());
    EXPECT_EQ(silent.next(20ms).error(), protocol::errc::timeout);
    // One of them reads; the other one's end comes all the same.
    auto long_one = std::async(std::launch::async, [&] { return silent.next(); });
    auto asked = std::async(std::launch::async,
                            [&] { return nats.request("silent", "", {.timeout = 50ms}); });
    EXPECT_EQ(asked.get().error(), protocol::errc::timeout);
    EXPECT_TRUE(long_one.get());
    nats.publish("silent", "far away").value();
    EXPECT_EQ(silent.next(nanoseconds::max()).value().payload(), "far away");
}

TEST(BlockingWait, ThePingIsAnsweredByTheThreadThatWaits) {
    std::promise<void> may_ping;
    std::promise<std::string> answered;
    const false_server server([&](false_server::peer& client) {
        client.greet();
        client.read_until("PING\r\n");
        client.send("PONG\r\n");
        may_ping.get_future().wait();
        client.send("PING\r\n");
        answered.set_value(client.read_until("PONG\r\n"));
        client.send("MSG a 1 2\r\nhi\r\n");
        client.wait_until_gone();
    });
    blocking_connection nats({.servers = {server.url()}});
    nats.connect().value();
    auto next = nats.subscribe("a").value();
    nats.flush().value();
    auto waits = std::async(std::launch::async, [&] { return next.next(); });
    EXPECT_EQ(waits.wait_for(20ms), std::future_status::timeout);
    may_ping.set_value();
    EXPECT_EQ(answered.get_future().get(), "PONG\r\n");
    EXPECT_EQ(waits.get().value().payload(), "hi");
}

TEST(BlockingWait, LearnsThatTheConnectionIsLost) {
    std::promise<void> asked;
    std::promise<void> over;
    const false_server server([&, done = false](false_server::peer& client) mutable {
        client.greet();
        if (std::exchange(done, true)) return client.wait_until_gone();
        client.read_until("PUB a ");
        asked.set_value();
        over.get_future().wait();
    });
    blocking_connection nats({.servers = {server.url()}, .reconnect = false});
    nats.connect().value();
    auto waits = std::async(std::launch::async, [&] { return nats.request("a", ""); });
    asked.get_future().wait();
    auto also = std::async(std::launch::async, [&] { return nats.flush(); });
    over.set_value();
    EXPECT_EQ(waits.get().error(), protocol::errc::connection_lost);
    EXPECT_FALSE(also.get());
}

TEST(BlockingWait, LearnsThatTheConnectionIsLostByAskingAlsoWhereEventsAreTold) {
    constexpr int rounds = 20;
    for (int i = 0; i < rounds; ++i) {
        std::promise<void> may_reset;
        std::promise<void> was_reset;
        const false_server server([&, done = false](false_server::peer& client) mutable {
            client.greet();
            if (std::exchange(done, true)) {
                client.read_until("PING\r\n");
                client.send("PONG\r\n");
                return client.wait_until_gone();
            }
            client.read_until("SUB a 1\r\n");
            client.send("MSG a 1 2\r\nhi\r\n");
            may_reset.get_future().wait();
            client.reset();
            was_reset.set_value();
        });
        connection_options options{.servers = {server.url()}};
        options.on_event = [](const connection_event&) {};
        blocking_connection nats(std::move(options));
        nats.connect().value();
        // Nobody reads while this is full, and so nobody learns of the end.
        auto full =
            nats.subscribe("a", {.pending_messages_max = 1, .policy = when_full::wait}).value();
        while (full.statistics().pending_messages == 0) std::this_thread::yield();
        may_reset.set_value();
        was_reset.get_future().wait();
        // After callbacks it is not the thread that waits that reads.
        std::promise<void> pause;
        pause.get_future().wait_for(20ms);
        EXPECT_EQ(full.next().value().payload(), "hi");
        const auto flushed = nats.flush();
        EXPECT_TRUE(flushed || flushed.error() == protocol::errc::connection_lost);
    }
}

TEST(BlockingWait, AnswersEndWhenTheyStall) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    blocking_connection other({.servers = {server->url()}});
    nats.connect().value();
    other.connect().value();
    auto service =
        other.subscribe("a", [&](const message& asked) { EXPECT_TRUE(other.respond(asked, "")); });
    other.flush().value();
    ask_some(nats);
    const auto began = std::chrono::steady_clock::now();
    const auto answers = nats.request_many("a", "", {.timeout = patience, .stall = 20ms});
    EXPECT_LT(std::chrono::steady_clock::now() - began, patience / 4);
    EXPECT_EQ(answers.value().size(), 1u);
}

TEST(BlockingWait, GoesOnAfterAnErrorThatEndsTheConnection) {
    for (const bool has_message : {false, true}) {
        std::promise<void> may_end;
        std::promise<void> came_back;
        const false_server server([&, done = false](false_server::peer& client) mutable {
            client.greet();
            if (std::exchange(done, true)) {
                came_back.set_value();
                return client.wait_until_gone();
            }
            client.read_until("PING\r\n");
            client.send("PONG\r\n");
            may_end.get_future().wait();
            const std::string_view before = has_message ? "MSG a 1 2\r\nhi\r\n" : "";
            client.send(std::string(before) + "-ERR 'User Authentication Expired'\r\n");
            client.wait_until_gone();
        });
        blocking_connection nats(
            {.servers = {server.url()}, .reconnect_wait = 10ms, .reconnect_jitter = {}});
        nats.connect().value();
        std::promise<void> called;
        auto once = nats.subscribe("a", [&](const message&) { called.set_value(); });
        auto next = nats.subscribe("b").value();
        nats.flush().value();
        auto waits = std::async(std::launch::async, [&] { return next.next(); });
        EXPECT_EQ(waits.wait_for(20ms), std::future_status::timeout);
        may_end.set_value();
        EXPECT_EQ(came_back.get_future().wait_for(patience / 4), std::future_status::ready);
        if (has_message) {
            EXPECT_EQ(called.get_future().wait_for(patience / 4), std::future_status::ready);
        }
        next.unsubscribe();
        EXPECT_FALSE(waits.get());
    }
}

TEST(BlockingWait, EndsWithTheConnectionAlsoForWhoKnowsTheLastAnswer) {
    const auto server = start_server();
    request_many_options how;
    how.is_last = [](const message& answer) { return answer.payload().empty(); };
    for (int i = 0; i < 30; ++i) {
        std::optional<blocking_connection> nats;
        nats.emplace(connection_options{.servers = {server->url()}});
        nats->connect().value();
        auto silent = nats->subscribe("silent").value();
        auto* const used = &*nats;
        auto asked = std::async(std::launch::async,
                                [&, used] { return used->request_many("silent", "", how); });
        EXPECT_TRUE(silent.next());
        nats.reset();
        EXPECT_EQ(asked.get().error(), protocol::errc::closed);
    }
}

TEST(BlockingWait, EndsWithItsSubscription) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    for (int i = 0; i < 20; ++i) {
        auto next = nats.subscribe("a").value();
        ask_some(nats);
        std::vector<std::future<result<message>>> waiting;
        for (int k = 0; k < 3; ++k) {
            waiting.push_back(std::async(std::launch::async, [&] { return next.next(); }));
        }
        if (i % 2 == 0) {
            EXPECT_EQ(waiting.back().wait_for(2ms), std::future_status::timeout);
        }
        next.unsubscribe();
        for (auto& each : waiting) EXPECT_EQ(each.get().error(), errc::subscription_ended);
    }
}

TEST(BlockingWait, EndsWithTheConnection) {
    const auto server = start_server();
    for (int i = 0; i < 30; ++i) {
        std::optional<blocking_connection> nats;
        nats.emplace(connection_options{.servers = {server->url()}});
        nats->connect().value();
        auto next = nats->subscribe("a").value();
        auto silent = nats->subscribe("silent").value();
        std::promise<void> destroyed;
        auto destroys = nats->subscribe("destroy", [&](const message&) {
            nats.reset();
            destroyed.set_value();
        });
        ask_some(*nats);
        std::atomic<int> begun = 0;
        auto* const used = &*nats;
        auto asked = std::async(std::launch::async, [&, used] {
            ++begun;
            return used->request("silent", "");
        });
        auto waits = std::async(std::launch::async, [&] {
            ++begun;
            return next.next();
        });
        // The request is under way when it has come back.
        EXPECT_TRUE(silent.next());
        while (begun < 2) std::this_thread::yield();
        if (i % 3 == 0) {
            nats->publish("destroy", "").value();
        } else {
            if (i % 3 == 1) nats->close();
            nats.reset();
        }
        EXPECT_EQ(asked.get().error(), protocol::errc::closed);
        EXPECT_EQ(waits.get().error(), errc::subscription_ended);
        if (i % 3 == 0) destroyed.get_future().wait();
    }
}

TEST(BlockingWait, WhatAThreadWaitsForMayBeDestroyedMeanwhile) {
    asio::io_context io;
    auto of = detail::link::make(io.get_executor(), {}, detail::face::blocking);
    const std::weak_ptr<detail::link> is_there = of;
    std::future<void> ends;
    const auto waited = detail::wait_for<void>(of, {.time = 1ms}, [&](detail::handler<void> done) {
        of.reset();
        ends = std::async(std::launch::async, [told = std::move(done)]() mutable {
            std::promise<void> pause;
            pause.get_future().wait_for(5 * detail::next_look / 2); // It has looked, and again.
            std::move(told)(result<>());
        });
    });
    EXPECT_TRUE(waited);
    ends.get();
    EXPECT_TRUE(is_there.expired());
}

TEST(BlockingWait, WhoPublishesMeanwhileIsNotHeldUp) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto next = nats.subscribe("a").value();
    auto never = nats.subscribe("never").value();
    ask_some(nats);
    auto reads = std::async(std::launch::async, [&] { return never.next(); });
    for (int i = 0; i < 200; ++i) {
        nats.publish("a", std::to_string(i)).value();
        ASSERT_EQ(next.next().value().payload(), std::to_string(i));
    }
    never.unsubscribe();
    EXPECT_FALSE(reads.get());
}

} // namespace
} // namespace pipit::client
