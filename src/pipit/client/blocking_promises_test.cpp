// SPDX-License-Identifier: Apache-2.0
// What a `blocking_connection` promises where it is easily broken: callbacks that take long, ends.
#include <support/client_world.hpp>

#include <pipit/client/detail/link.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <thread>

namespace pipit::client {
namespace {

using namespace support;

template <class T>
bool is_ready(std::future<T>& what) {
    return what.wait_for(patience / 4) == std::future_status::ready;
}

TEST(BlockingPromises, TimeLimitsHoldWhileACallbackRuns) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    std::promise<void> entered;
    std::promise<void> leave;
    auto busy = nats.subscribe("busy", [&](const message&) {
        entered.set_value();
        leave.get_future().wait();
    });
    auto silent = nats.subscribe("silent").value();
    nats.flush().value();
    nats.publish("busy", "").value();
    entered.get_future().wait();
    const auto ask = [&](auto how) { return std::async(std::launch::async, how); };
    auto asked = ask([&] { return nats.request("silent", "", {.timeout = 50ms}); });
    auto flushed = ask([&] { return nats.flush(50ms); });
    auto many = ask([&] { return nats.request_many("silent", "", {.timeout = 50ms}); });
    EXPECT_TRUE(is_ready(asked));
    EXPECT_TRUE(is_ready(flushed));
    EXPECT_TRUE(is_ready(many));
    leave.set_value();
    EXPECT_EQ(asked.get().error(), protocol::errc::timeout);
    EXPECT_EQ(flushed.get().error(), protocol::errc::timeout);
    EXPECT_TRUE(many.get().value().empty());
    nats.flush().value();
}

TEST(BlockingPromises, AnAnswerIsHadInTimeThoughACallbackThatComesBeforeItTakesLong) {
    const false_server server([](false_server::peer& client) {
        client.greet();
        client.read_until("PUB ask ");
        auto reply = client.read_until(" 0\r\n\r\n");
        reply.resize(reply.size() - 6);
        client.send("MSG busy 1 0\r\n\r\nMSG " + reply + " 2 2\r\nhi\r\n");
        client.wait_until_gone();
    });
    blocking_connection nats({.servers = {server.url()}});
    nats.connect().value();
    std::promise<void> leave;
    auto busy = nats.subscribe("busy", [&](const message&) { leave.get_future().wait(); });
    auto asked =
        std::async(std::launch::async, [&] { return nats.request("ask", "", {.timeout = 500ms}); });
    EXPECT_TRUE(is_ready(asked));
    leave.set_value();
    EXPECT_EQ(asked.get().value().payload(), "hi");
}

TEST(BlockingPromises, ASubscriptionsEndWaitsForItsCallback) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    for (int i = 0; i < 10; ++i) {
        std::promise<void> entered;
        std::promise<void> never;
        const auto not_yet = never.get_future();
        std::atomic<bool> has_returned = false;
        std::optional<blocking_subscription> calls;
        calls = nats.subscribe("a",
                               [&](const message&) {
                                   entered.set_value();
                                   not_yet.wait_for(10ms);
                                   has_returned = true;
                               })
                    .value();
        nats.publish("a", "").value();
        entered.get_future().wait();
        calls.reset();
        EXPECT_TRUE(has_returned);
    }
}

TEST(BlockingPromises, ACallbackMayEndItsOwnSubscription) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    std::promise<void> ended;
    std::optional<blocking_subscription> calls;
    calls = nats.subscribe("a",
                           [&](const message&) {
                               calls.reset();
                               ended.set_value();
                           })
                .value();
    nats.publish("a", "").value();
    nats.publish("a", "").value();
    ended.get_future().wait();
    nats.flush().value();
}

TEST(BlockingPromises, NothingWaitsForRoomThatThereNeverIs) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}, .pending_output_bytes_max = 1000});
    nats.connect().value();
    const auto refused = nats.publish("a", std::string(1000, 'x'));
    EXPECT_EQ(refused.error(), protocol::errc::output_full);
    EXPECT_NE(refused.error().message().find("1000"), std::string::npos);
    nats.publish("a", "fits").value();
    nats.flush().value();
}

TEST(BlockingPromises, WhoClosesIsToldOfIt) {
    const auto server = start_server();
    for (int round = 0; round < 50; ++round) {
        std::atomic<int> told = 0;
        connection_options options{.servers = {server->url()}};
        options.on_event = [&](const connection_event& what) {
            if (const auto* const end = std::get_if<event::closed>(&what)) {
                ++told;
                EXPECT_FALSE(end->why.code());
            }
        };
        {
            blocking_connection nats(options);
            nats.connect().value();
            if (round % 2 == 0) {
                nats.close();
            } else {
                nats.drain().value();
            }
        }
        ASSERT_EQ(told, 1) << round;
        {
            blocking_connection nats(options);
            nats.connect().value();
        }
        ASSERT_EQ(told, 1) << "the destructor is silent";
    }
}

/// A publication may be the first to notice that the connection is lost, and end it. Whoever is
/// told of events may be in a callback meanwhile, and the destructor may have begun when it is his
/// turn.
TEST(BlockingPromises, WhoNoticesTheEndByPublishingIsToldOfItByTheDestructorAtTheLatest) {
    std::promise<void> lost;
    int clients = 0;
    const false_server server([&](false_server::peer& client) {
        if (clients++ != 0) return lost.set_value(); // The first one is gone.
        client.greet();
        client.read_until("PING\r\n");
        client.send("PONG\r\nMSG busy 1 0\r\n\r\n");
        client.read_until("PUB last 0\r\n");
    });
    std::atomic<int> told = 0;
    connection_options options{.servers = {server.url()}, .reconnect = false};
    options.on_event = [&](const connection_event& what) {
        told += std::holds_alternative<event::closed>(what) ? 1 : 0;
    };
    auto nats = std::make_unique<blocking_connection>(options);
    nats->connect().value();
    std::promise<void> entered;
    std::promise<void> leave;
    const auto busy = nats->subscribe("busy", [&](const message&) {
        entered.set_value();
        leave.get_future().wait();
    });
    nats->flush().value();
    entered.get_future().wait();
    const std::string large(detail::direct_send_bytes, 'x'); // Sent by this thread.
    nats->publish("last", "").value();
    nats->publish("last", large).value();
    asio::io_context io;
    asio::ip::tcp::socket second(io);
    second.connect(server.endpoint());
    lost.get_future().wait();
    while (!nats->is_closed()) (void)nats->publish("last", large);
    EXPECT_EQ(told, 0);
    nats->internals()->silence_what_is_not_over(); // As the destructor begins.
    leave.set_value();
    nats.reset();
    EXPECT_EQ(told, 1);
}

TEST(BlockingPromises, WhatWasPublishedBeforeTheEndIsSentWhoeverIsAtIt) {
    const auto server = start_server();
    blocking_connection reads({.servers = {server->url()}});
    reads.connect().value();
    auto messages = reads.subscribe("a").value();
    reads.flush().value();
    const std::string payload(500, 'x');
    for (int round = 0; round < 40; ++round) {
        constexpr int count = 400;
        {
            blocking_connection nats({.servers = {server->url()}});
            nats.connect().value();
            for (int i = 0; i < count; ++i) nats.publish("a", payload).value();
        }
        for (int i = 0; i < count; ++i) ASSERT_TRUE(messages.next(patience / 4)) << round;
    }
}

} // namespace
} // namespace pipit::client
