// SPDX-License-Identifier: Apache-2.0
#include <support/client_world.hpp>

#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <vector>

namespace pipit::client {
namespace {

using namespace support;

TEST(BlockingConnection, PublishesSubscribesAndAsks) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    EXPECT_TRUE(nats.is_connected());
    auto messages = nats.subscribe("a").value();
    nats.publish("a", "1").value();
    EXPECT_EQ(messages.next().value().payload(), "1");
    EXPECT_EQ(messages.next(10ms).error(), protocol::errc::timeout);
    EXPECT_FALSE(messages.try_next());
    auto service = nats.subscribe("double", [&](message request) {
        const auto text = std::string(request.payload());
        EXPECT_TRUE(nats.respond(request, text + text));
    });
    EXPECT_EQ(nats.request("double", "ab").value().payload(), "abab");
    EXPECT_EQ(nats.request("nobody", "").error(), protocol::errc::no_responders);
    EXPECT_EQ(nats.request("a", "", {.timeout = 10ms}).error(), protocol::errc::timeout);
    EXPECT_GT(nats.rtt().value(), 0ns);
    nats.flush().value();
    auto answers = nats.request_many("double", "x", {.messages_max = 1}).value();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].payload(), "xx");
    EXPECT_EQ(nats.request_many("nobody", "").error(), protocol::errc::no_responders);
    EXPECT_EQ(nats.respond(answers[0], "").error(), errc::no_reply_subject);
    EXPECT_TRUE(messages.try_next()) << "this was the request that nobody answered";
    nats.drain().value();
    EXPECT_TRUE(nats.is_closed());
    EXPECT_EQ(nats.publish("a", "").error(), protocol::errc::closed);
}

TEST(BlockingConnection, GivesMessagesToALoopUntilTheSubscriptionEnds) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto messages = nats.subscribe("a", {.messages_max = 3}).value();
    for (int i = 0; i < 5; ++i) nats.publish("a", std::to_string(i)).value();
    std::string seen;
    for (const auto& message : messages) seen += message.payload();
    EXPECT_EQ(seen, "012");
    EXPECT_EQ(messages.next().error(), errc::subscription_ended);
}

TEST(BlockingConnection, DrainsASubscription) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    std::atomic<int> count = 0;
    auto counted = nats.subscribe("a", [&](message) { ++count; }).value();
    for (int i = 0; i < 100; ++i) nats.publish("a", "").value();
    counted.drain().value();
    EXPECT_EQ(count, 100);
    EXPECT_FALSE(counted.is_active());
}

TEST(BlockingConnection, IsDrainedByAThreadThatTakesTheRestAfterwards) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto begun = nats.subscribe("a").value();
    auto unread = nats.subscribe("a").value();
    for (int i = 0; i < 3; ++i) nats.publish("a", "").value();
    EXPECT_TRUE(begun.next());
    const auto drained = nats.drain();
    EXPECT_TRUE(drained) << drained.error().message();
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(begun.next());
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(unread.try_next());
    EXPECT_EQ(unread.next().error(), errc::subscription_ended);
}

TEST(BlockingConnection, IsDrainedWhenAnotherThreadHasAnsweredWhatWasOnItsWay) {
    constexpr int many = 200;
    const auto server = start_server();
    blocking_connection asks({.servers = {server->url()}});
    blocking_connection nats({.servers = {server->url()}});
    asks.connect().value();
    nats.connect().value();
    auto answers = asks.subscribe("answers").value();
    auto questions = nats.subscribe("questions").value();
    nats.flush().value();
    std::thread serves([&] {
        for (const auto& question : questions) (void)nats.respond(question, "");
    });
    for (int i = 0; i < many; ++i) asks.publish("questions", "", {.reply = "answers"}).value();
    EXPECT_TRUE(answers.next()); // Others are on their way.
    asks.flush().value();
    nats.drain().value();
    serves.join();
    asks.flush().value();
    // The last one may have been taken, but not answered yet.
    EXPECT_GE(answers.statistics().pending_messages, many - 2u);
}

TEST(BlockingConnection, ACallbackMustNotWait) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto other = nats.subscribe("other").value();
    std::promise<std::vector<error>> promise;
    auto callback = nats.subscribe("a", [&](message) {
        std::vector<error> why;
        why.push_back(nats.request("a", "").error());
        why.push_back(nats.flush().error());
        why.push_back(nats.rtt().error());
        why.push_back(nats.drain().error());
        why.push_back(nats.connect().error());
        why.push_back(nats.request_many("a", "").error());
        why.push_back(other.next().error());
        why.push_back(other.drain().error());
        EXPECT_TRUE(nats.publish("other", "needs no waiting"));
        promise.set_value(std::move(why));
    });
    nats.publish("a", "").value();
    const auto why = promise.get_future().get();
    EXPECT_EQ(why.size(), 8u);
    for (const auto& each : why) EXPECT_EQ(each, errc::would_deadlock);
    EXPECT_EQ(other.next().value().payload(), "needs no waiting");
}

TEST(BlockingConnection, TellsOfExceptionsAndGoesOn) {
    const auto server = start_server();
    std::promise<error> promise;
    connection_options options{.servers = {server->url()}};
    options.on_event = [&](const connection_event& what) {
        if (const auto* const told = std::get_if<event::asynchronous_error>(&what)) {
            promise.set_value(told->why);
        }
        throw std::runtime_error("nobody hears this");
    };
    blocking_connection nats(options);
    nats.connect().value();
    auto throws = nats.subscribe("a", [](message) { throw std::runtime_error("from a callback"); });
    nats.publish("a", "").value();
    const auto why = promise.get_future().get();
    EXPECT_EQ(why, errc::callback_threw);
    EXPECT_EQ(why.detail(), "from a callback");
    EXPECT_TRUE(nats.flush());
}

TEST(BlockingConnection, IsUsedFromManyThreadsAtOnce) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto echo = nats.subscribe(
        "echo", [&](message request) { (void)nats.respond(request, request.payload()); });
    auto shared = nats.subscribe("shared").value();
    std::atomic<int> taken = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            for (int k = 0; k < 200; ++k) {
                const auto text = std::to_string(i) + ":" + std::to_string(k);
                EXPECT_EQ(nats.request("echo", text).value().payload(), text);
                nats.publish("shared", text).value();
                if (shared.next()) ++taken;
            }
        });
    }
    for (auto& each : threads) each.join();
    EXPECT_EQ(taken, 8 * 200);
}

TEST(BlockingConnection, StaysConnectedOverARestart) {
    auto server = start_server();
    const auto port = server->port();
    std::promise<void> lost;
    std::promise<void> again;
    connection_options options{.servers = {server->url()}};
    options.on_event = [&](const connection_event& what) {
        if (std::holds_alternative<event::disconnected>(what)) lost.set_value();
        const auto* const connected = std::get_if<event::connected>(&what);
        if (connected != nullptr && connected->again) again.set_value();
    };
    blocking_connection nats(options);
    nats.connect().value();
    auto messages = nats.subscribe("a").value();
    nats.flush().value();
    server.reset();
    lost.get_future().wait();
    nats.publish("a", "offline").value();
    server = start_server({.port = port});
    again.get_future().wait();
    EXPECT_EQ(messages.next().value().payload(), "offline");
}

TEST(BlockingConnection, AsksForCredentialsAgainWhileItIsConnected) {
    const auto server = start_server();
    std::atomic<int> asked = 0;
    connection_options options{.servers = {server->url()}};
    options.credentials_provider = [&](const protocol::server_info&) {
        ++asked;
        return protocol::credentials{};
    };
    blocking_connection nats(options);
    EXPECT_EQ(nats.renew_credentials().error(), protocol::errc::not_connected);
    nats.connect().value();
    EXPECT_EQ(asked, 1);
    nats.renew_credentials().value();
    while (asked < 2) nats.flush().value();
    EXPECT_TRUE(nats.is_connected());

    blocking_connection other(connection_options{.servers = {server->url()}});
    other.connect().value();
    EXPECT_EQ(other.renew_credentials().error(), errc::no_credentials_provider);
}

TEST(BlockingConnection, ItsEndEndsWhatOtherThreadsWaitFor) {
    const auto server = start_server();
    std::optional<blocking_connection> nats;
    nats.emplace(connection_options{.servers = {server->url()}});
    nats->connect().value();
    auto silent = nats->subscribe("silent").value();
    auto next = std::async(std::launch::async, [&] { return silent.next(); });
    auto asked = std::async(std::launch::async, [&] { return nats->request("silent", "x"); });
    // The request has arrived: both threads wait, or are about to.
    while (silent.statistics().pending_messages + silent.statistics().delivered_messages == 0) {
        std::this_thread::yield();
    }
    nats->close();
    EXPECT_EQ(asked.get().error(), protocol::errc::closed);
    EXPECT_TRUE(next.get()) << "this was the request";
    nats.reset();
    EXPECT_EQ(silent.next().error(), errc::subscription_ended);
    EXPECT_EQ(silent.drain().error(), protocol::errc::closed);
}

TEST(BlockingConnection, MayBeDestroyedByItsOwnCallback) {
    const auto server = start_server();
    auto nats =
        std::make_unique<blocking_connection>(connection_options{.servers = {server->url()}});
    nats->connect().value();
    std::promise<void> destroyed;
    auto destroys = nats->subscribe("a", [&](message) {
        nats.reset();
        destroyed.set_value();
    });
    nats->publish("a", "").value();
    destroyed.get_future().wait();
}

TEST(BlockingConnection, WaitsForRoomToPublish) {
    std::atomic<bool> may_read = false;
    const false_server server([&](false_server::peer& client) {
        client.greet();
        may_read.wait(false);
        client.wait_until_gone();
    });
    blocking_connection nats({.servers = {server.url()}, .pending_output_bytes_max = 64 * 1024});
    nats.connect().value();
    auto reader = std::async(std::launch::async, [&] {
        const std::string payload(10'000, 'x');
        for (int i = 0; i < 2000; ++i) nats.publish("a", payload).value();
    });
    EXPECT_EQ(reader.wait_for(50ms), std::future_status::timeout) << "there is no room";
    may_read = true;
    may_read.notify_one();
    reader.get();
}

TEST(BlockingConnection, NeedsNoConnectionToBeDestroyed) {
    const blocking_connection idle;
    EXPECT_FALSE(idle.is_connected());
    EXPECT_FALSE(idle.is_closed());
}

} // namespace
} // namespace pipit::client
