// SPDX-License-Identifier: Apache-2.0
// Cancelling, closing and destroying, in any order.
#include <support/client_world.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <vector>

namespace pipit::client {
namespace {

using namespace support;
using asio::use_awaitable;

template <class T>
struct outcome {
    std::optional<result<T>> is;
    asio::cancellation_signal give_up;
    auto handler() {
        return asio::bind_cancellation_slot(give_up.slot(),
                                            [this](result<T> what) { is = std::move(what); });
    }
};

class ConnectionLifetime : public testing::Test {
protected:
    ConnectionLifetime() {
        nats.emplace(io.get_executor(), connection_options{.servers = {server->url()}});
        outcome<void> connected;
        nats->connect(connected.handler());
        run_until(io, [&] { return connected.is.has_value(); });
        EXPECT_TRUE(*connected.is);
        silent = nats->subscribe("silent").value();
    }

    template <class T>
    void expect_cancelled(outcome<T>& of) {
        of.give_up.emit(asio::cancellation_type::total);
        run_until(io, [&] { return of.is.has_value(); });
        EXPECT_EQ(of.is->error(), protocol::errc::cancelled);
        of.give_up.emit(asio::cancellation_type::total); // Nothing to give up any more.
        EXPECT_TRUE(nats->is_connected());
    }

    std::unique_ptr<embedded_server> server = start_server();
    asio::io_context io;
    std::optional<connection> nats;
    subscription silent;
};

TEST_F(ConnectionLifetime, EveryOperationCanBeCancelled) {
    outcome<message> asked;
    nats->request("silent", "", asked.handler());
    expect_cancelled(asked);
    auto messages = nats->subscribe("a").value();
    outcome<message> next;
    messages.next(next.handler());
    expect_cancelled(next);
    auto many = nats->request_many("silent", "").value();
    outcome<std::optional<message>> answer;
    many.next(answer.handler());
    expect_cancelled(answer);
    outcome<void> flushed;
    nats->flush(flushed.handler());
    expect_cancelled(flushed);
    outcome<nanoseconds> measured;
    nats->rtt(measured.handler());
    expect_cancelled(measured);
    auto last = nats->subscribe("b").value();
    outcome<void> drained;
    last.drain(drained.handler());
    expect_cancelled(drained);
    run_until(io, [&] { return !last.is_active(); }); // It is drained all the same.

    nats->publish("a", "still works").value();
    outcome<message> works;
    messages.next(works.handler());
    run_until(io, [&] { return works.is.has_value(); });
    EXPECT_EQ(works.is->value().payload(), "still works");
}

asio::awaitable<void> ask_nothing(subscription nothing, replies nobody) {
    const auto next = co_await nothing.next(use_awaitable);
    EXPECT_EQ(next.error(), errc::subscription_ended);
    const auto drained = co_await nothing.drain(use_awaitable);
    EXPECT_EQ(drained.error(), errc::subscription_ended);
    const auto answer = co_await nobody.next(use_awaitable);
    EXPECT_FALSE(answer.value());
}

TEST_F(ConnectionLifetime, ASubscriptionOfNothingHasEnded) {
    run(ask_nothing({}, {}));
    EXPECT_EQ(subscription().next(asio::use_future).get().error(), errc::subscription_ended);
}

TEST_F(ConnectionLifetime, ACancelledDrainGoesOn) {
    nats->publish("silent", "").value();
    outcome<void> drained;
    nats->drain(drained.handler());
    drained.give_up.emit(asio::cancellation_type::total);
    run_until(io, [&] { return drained.is.has_value(); });
    EXPECT_EQ(drained.is->error(), protocol::errc::cancelled);
    run_until(io, [&] { return silent.try_next().has_value(); });
    run_until(io, [&] { return nats->is_closed(); });
}

TEST_F(ConnectionLifetime, ACancelledConnectCloses) {
    const false_server mute([](false_server::peer& client) { client.wait_until_gone(); });
    connection other(io.get_executor(), {.servers = {mute.url()}});
    outcome<void> connected;
    other.connect(connected.handler());
    io.restart();
    io.run_for(10ms);
    connected.give_up.emit(asio::cancellation_type::terminal);
    run_until(io, [&] { return connected.is.has_value(); });
    EXPECT_EQ(connected.is->error(), protocol::errc::cancelled);
    EXPECT_TRUE(other.is_closed());
}

TEST_F(ConnectionLifetime, WhatWaitsEndsWithTheConnection) {
    outcome<message> asked;
    nats->request("silent", "", asked.handler());
    outcome<message> next;
    silent.next(next.handler());
    auto many = nats->request_many("silent", "").value();
    outcome<std::optional<message>> answer;
    many.next(answer.handler());
    outcome<void> drained;
    silent.drain(drained.handler());
    nats.reset();
    run_until(io, [&] { return next.is.has_value(); });
    run_until(io, [&] { return asked.is.has_value(); });
    run_until(io, [&] { return answer.is.has_value(); });
    run_until(io, [&] { return drained.is.has_value(); });
    EXPECT_EQ(asked.is->error(), protocol::errc::closed);
    EXPECT_EQ(next.is->error(), errc::subscription_ended);
    EXPECT_EQ(answer.is->error(), protocol::errc::closed);
    EXPECT_FALSE(silent.is_active());
    EXPECT_FALSE(silent.try_next());
    silent.unsubscribe();
    io.restart();
    io.run_for(patience);
    EXPECT_TRUE(io.stopped()) << "nothing is left behind";
}

TEST_F(ConnectionLifetime, NothingWorksAfterClose) {
    nats->close();
    nats->close();
    EXPECT_TRUE(nats->is_closed());
    EXPECT_EQ(nats->publish("a", "").error(), protocol::errc::closed);
    EXPECT_EQ(nats->subscribe("a").error(), protocol::errc::closed);
    EXPECT_EQ(nats->request_many("a", "").error(), protocol::errc::closed);
    nats->reconnect();
    outcome<message> asked;
    nats->request("a", "", asked.handler());
    outcome<void> flushed;
    nats->flush(flushed.handler());
    outcome<void> connected;
    nats->connect(connected.handler());
    run_until(io, [&] { return asked.is && flushed.is && connected.is; });
    EXPECT_EQ(asked.is->error(), protocol::errc::closed);
    EXPECT_EQ(flushed.is->error(), protocol::errc::closed);
    EXPECT_EQ(connected.is->error(), protocol::errc::closed);
}

TEST_F(ConnectionLifetime, WhatWasPublishedBeforeCloseIsSent) {
    connection reads(io.get_executor(), {.servers = {server->url()}});
    outcome<void> connected;
    reads.connect(connected.handler());
    auto messages = reads.subscribe("a").value();
    outcome<void> flushed;
    reads.flush(flushed.handler());
    run_until(io, [&] { return flushed.is.has_value(); });
    nats->publish("a", "last words").value();
    nats->close();
    outcome<message> next;
    messages.next(next.handler());
    run_until(io, [&] { return next.is.has_value(); });
    EXPECT_EQ(next.is->value().payload(), "last words");
}

TEST_F(ConnectionLifetime, ACallbackMayDestroyItsConnection) {
    bool called = false;
    auto destroys = nats->subscribe("a", [&](message) {
        EXPECT_FALSE(called);
        called = true;
        nats.reset();
    });
    nats->publish("a", "").value();
    nats->publish("a", "").value();
    run_until(io, [&] { return called; });
    io.restart();
    io.run_for(patience);
}

TEST_F(ConnectionLifetime, ACallbackMayEndItsSubscription) {
    int calls = 0;
    std::optional<subscription> one;
    one = nats->subscribe("a",
                          [&](message) {
                              ++calls;
                              one.reset();
                          })
              .value();
    for (int i = 0; i < 5; ++i) nats->publish("a", "").value();
    outcome<void> flushed;
    nats->flush(flushed.handler());
    run_until(io, [&] { return flushed.is.has_value(); });
    EXPECT_EQ(calls, 1);
}

TEST_F(ConnectionLifetime, ALimitCountsWhatIsHereAlready) {
    auto messages = nats->subscribe("a").value();
    for (const auto* text : {"1", "2", "3", "4", "5"}) nats->publish("a", text).value();
    run_until(io, [&] { return messages.statistics().pending_messages == 5; });
    EXPECT_EQ(messages.try_next()->payload(), "1");
    messages.unsubscribe(3);
    EXPECT_EQ(messages.statistics().pending_messages, 2U);
    EXPECT_EQ(messages.try_next()->payload(), "2");
    EXPECT_EQ(messages.try_next()->payload(), "3");
    EXPECT_FALSE(messages.try_next());
    outcome<message> next;
    messages.next(next.handler());
    run_until(io, [&] { return next.is.has_value(); });
    EXPECT_EQ(next.is->error(), errc::subscription_ended);
    EXPECT_EQ(messages.statistics().delivered_messages, 3U);
}

TEST_F(ConnectionLifetime, ALimitThatIsReachedThrowsAwayWhatWaits) {
    auto messages = nats->subscribe("a").value();
    for (int i = 0; i < 5; ++i) nats->publish("a", "").value();
    run_until(io, [&] { return messages.statistics().pending_messages == 5; });
    (void)messages.try_next();
    (void)messages.try_next();
    messages.unsubscribe(1);
    EXPECT_FALSE(messages.try_next());
    EXPECT_EQ(messages.statistics().pending_bytes, 0U);
}

TEST_F(ConnectionLifetime, ACallbackMayLimitItsSubscription) {
    int calls = 0;
    std::optional<subscription> limited;
    limited = nats->subscribe("a",
                              [&](message) {
                                  if (++calls == 1) limited->unsubscribe(3);
                              })
                  .value();
    for (int i = 0; i < 5; ++i) nats->publish("a", "").value();
    outcome<void> flushed;
    nats->flush(flushed.handler());
    run_until(io, [&] { return flushed.is.has_value(); });
    EXPECT_EQ(calls, 3);
    EXPECT_EQ(limited->statistics().delivered_messages, 3U);
    EXPECT_FALSE(limited->is_active());
}

asio::awaitable<void> drain_and_destroy(std::string url, int& ends) {
    const auto executor = co_await asio::this_coro::executor;
    connection_options options{.servers = {url}};
    options.on_event = [&](const connection_event& what) {
        ends += std::holds_alternative<event::closed>(what) ? 1 : 0;
    };
    connection nats(executor, options);
    co_await connect(nats);
    auto drained = co_await nats.drain(use_awaitable);
    drained.value();
}

TEST_F(ConnectionLifetime, WhoHasDrainedHasBeenToldOfTheEnd) {
    int ends = 0;
    run(drain_and_destroy(server->url(), ends));
    EXPECT_EQ(ends, 1);
}

TEST_F(ConnectionLifetime, TheDestructorSilencesAnEndThatIsNotToldYet) {
    int ends = 0;
    connection_options options{.servers = {server->url()}};
    options.on_event = [&](const connection_event& what) {
        ends += std::holds_alternative<event::closed>(what) ? 1 : 0;
    };
    for (const bool waits : {true, false}) {
        auto other = std::make_unique<connection>(io.get_executor(), options);
        outcome<void> connected;
        other->connect(connected.handler());
        run_until(io, [&] { return connected.is.has_value(); });
        other->close();
        if (waits) run_until(io, [&] { return ends == 1; });
        other.reset();
        io.restart();
        io.run_for(50ms);
        EXPECT_EQ(ends, 1);
    }
}

asio::awaitable<void> wait_for_ever(std::string url, bool& waits) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    auto connected = co_await nats.connect(use_awaitable);
    connected.value();
    auto never = nats.subscribe("never").value();
    waits = true;
    auto next = co_await never.next(use_awaitable);
    ADD_FAILURE() << "it was destroyed";
}

TEST(ConnectionContext, MayBeDestroyedWithCoroutinesThatWait) {
    const auto server = start_server();
    asio::io_context io;
    bool waits = false;
    asio::co_spawn(io, wait_for_ever(server->url(), waits), asio::detached);
    run_until(io, [&] { return waits; });
}

TEST(ConnectionContext, MayBeDestroyedBeforeWhatCameFromIt) {
    const auto server = start_server();
    auto io = std::make_unique<asio::io_context>();
    auto nats = std::make_unique<connection>(io->get_executor(),
                                             connection_options{.servers = {server->url()}});
    outcome<void> connected;
    nats->connect(connected.handler());
    run_until(*io, [&] { return connected.is.has_value(); });
    auto messages = nats->subscribe("a").value();
    nats->publish("a", "").value();
    outcome<void> flushed;
    nats->flush(flushed.handler());
    run_until(*io, [&] { return flushed.is.has_value(); });
    io.reset();
    EXPECT_EQ(nats->publish("a", "").error(), protocol::errc::closed);
    EXPECT_TRUE(messages.try_next());
    EXPECT_FALSE(messages.is_active());
    nats.reset();
}

TEST(ConnectionContext, MayBeAPoolOfThreads) {
    const auto server = start_server();
    asio::thread_pool pool(3);
    connection nats(pool.get_executor(), {.servers = {server->url()}});
    nats.connect(asio::use_future).get().value();
    std::atomic<int> running = 0;
    std::atomic<int> count = 0;
    auto one_at_a_time = nats.subscribe("a", [&](message) {
        EXPECT_EQ(++running, 1);
        ++count;
        --running;
    });
    std::vector<std::thread> publishers;
    for (int i = 0; i < 2; ++i) {
        publishers.emplace_back([&] {
            for (int sent = 0; sent < 5000; ++sent) nats.publish("a", "").value();
        });
    }
    for (auto& each : publishers) each.join();
    nats.flush(asio::use_future).get().value();
    EXPECT_EQ(count, 10'000);
    auto closes = std::thread([&] { nats.close(); });
    auto reads = std::thread([&] { (void)nats.request("a", "", asio::use_future).get(); });
    closes.join();
    reads.join();
    pool.join();
}

/// What `connection` says of several threads: the destructor does not wait for a callback, but on
/// a strand of the user's there is none that it could meet.
TEST(ConnectionContext, MayBeAStrandOnWhichNoCallbackMeetsTheDestructor) {
    const auto server = start_server();
    asio::thread_pool pool(3);
    std::atomic<int> met = 0;
    for (int round = 0; round < 20; ++round) {
        const auto strand = asio::make_strand(pool);
        std::atomic<bool> is_gone = false;
        std::atomic<bool> runs = false;
        const auto look = [&](const auto&) {
            runs = true;
            met += is_gone ? 1 : 0;
            runs = false;
        };
        connection_options options{.servers = {server->url()}};
        options.on_event = look;
        auto nats = std::make_unique<connection>(strand, std::move(options));
        nats->connect(asio::use_future).get().value();
        const auto messages = nats->subscribe("a", look).value();
        for (int sent = 0; sent < 500; ++sent) nats->publish("a", "").value();
        std::promise<void> destroyed;
        asio::post(strand, [&] {
            nats->close(); // `event::closed` is due, and comes no more.
            nats.reset();
            met += runs ? 1 : 0;
            is_gone = true;
            destroyed.set_value();
        });
        destroyed.get_future().wait();
    }
    pool.join();
    EXPECT_EQ(met, 0);
}

} // namespace
} // namespace pipit::client
