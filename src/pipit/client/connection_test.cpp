// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/limits.hpp>
#include <support/client_world.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>

#include <optional>
#include <vector>

namespace pipit::client {
namespace {

using namespace support;
using asio::awaitable;
using asio::use_awaitable;

awaitable<void> publish_and_take(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    EXPECT_TRUE(nats.is_connected());
    EXPECT_EQ("nats://" + nats.connected_server(), url);
    EXPECT_EQ(nats.servers().size(), 1u);
    auto messages = nats.subscribe("greet.*").value();
    headers with;
    with.set("Lang", "en").value();
    nats.publish("greet.joe", "hello", {.reply = "answers", .headers = &with}).value();
    auto got = co_await messages.next(use_awaitable);
    EXPECT_EQ(got.value().subject(), "greet.joe");
    EXPECT_EQ(got.value().payload(), "hello");
    EXPECT_EQ(got.value().reply(), "answers");
    EXPECT_EQ(got.value().header("Lang"), "en");
    EXPECT_FALSE(messages.try_next());
    EXPECT_EQ(messages.statistics().delivered_messages, 1u);
    EXPECT_EQ(nats.statistics().received_messages, 1u);
}

TEST(Connection, DeliversWhatItPublished) {
    const auto server = start_server();
    run(publish_and_take(server->url()));
}

awaitable<void> ask_and_answer(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    auto service = nats.subscribe("double", [&](message request) {
        const auto text = std::string(request.payload());
        EXPECT_TRUE(nats.respond(request, text + text));
    });
    auto answer = co_await nats.request("double", "ab", use_awaitable);
    EXPECT_EQ(answer.value().payload(), "abab");
    auto nobody = co_await nats.request("nobody", "", use_awaitable);
    EXPECT_EQ(nobody.error(), protocol::errc::no_responders);
    auto round_trip = co_await nats.rtt(use_awaitable);
    EXPECT_GT(round_trip.value(), 0ns);
    EXPECT_EQ(nats.respond(message("a", "", "", ""), "").error(), errc::no_reply_subject);
}

TEST(Connection, AsksAndAnswers) {
    const auto server = start_server();
    run(ask_and_answer(server->url()));
}

awaitable<void> ask_a_silent_service(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    auto silent = nats.subscribe("silent");
    const request_options options{.timeout = 20ms};
    auto late = co_await nats.request("silent", "", options, use_awaitable);
    EXPECT_EQ(late.error(), protocol::errc::timeout);
    EXPECT_NE(late.error().message().find("silent"), std::string::npos) << late.error().message();
    EXPECT_NE(late.error().message().find("20"), std::string::npos) << late.error().message();
}

TEST(Connection, NamesTheSubjectAndTheTimeOfARequestThatIsNotAnswered) {
    const auto server = start_server();
    run(ask_a_silent_service(server->url()));
}

awaitable<std::vector<std::string>> all_of(replies& answers) {
    std::vector<std::string> out;
    for (;;) {
        auto next = co_await answers.next(use_awaitable);
        if (!next || !*next) co_return out;
        out.emplace_back((*next)->payload());
    }
}

awaitable<void> ask_many(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    auto service = nats.subscribe("count", [&](message request) {
        for (const auto* text : {"1", "2", "3", ""}) EXPECT_TRUE(nats.respond(request, text));
    });
    using texts = std::vector<std::string>;

    auto counted = nats.request_many("count", "", {.messages_max = 2}).value();
    auto got_counted = co_await all_of(counted);
    EXPECT_EQ(got_counted, (texts{"1", "2"}));
    EXPECT_EQ(counted.how_ended(), replies_end::all_received);

    auto empty = nats.request_many("count", "", {.ends_with_empty_payload = true}).value();
    auto got_empty = co_await all_of(empty);
    EXPECT_EQ(got_empty, (texts{"1", "2", "3"}));
    EXPECT_EQ(empty.how_ended(), replies_end::sentinel);

    request_many_options until_two;
    until_two.is_last = [](const message& reply) { return reply.payload() == "2"; };
    auto asked = nats.request_many("count", "", until_two).value();
    auto got_asked = co_await all_of(asked);
    EXPECT_EQ(got_asked, (texts{"1"}));
    EXPECT_EQ(asked.how_ended(), replies_end::sentinel);

    auto stalled = nats.request_many("count", "", {.stall = 20ms}).value();
    auto got_stalled = co_await all_of(stalled);
    EXPECT_EQ(got_stalled, (texts{"1", "2", "3", ""}));
    EXPECT_EQ(stalled.how_ended(), replies_end::stalled);

    auto timed = nats.request_many("count", "", {.timeout = 50ms}).value();
    auto got_timed = co_await all_of(timed);
    EXPECT_EQ(got_timed.size(), 4u);
    EXPECT_EQ(timed.how_ended(), replies_end::timed_out);

    auto nobody = nats.request_many("nobody", "").value();
    auto none = co_await nobody.next(use_awaitable);
    EXPECT_EQ(none.error(), protocol::errc::no_responders);

    auto given_up = nats.request_many("count", "").value();
    given_up.cancel();
    auto got_given_up = co_await all_of(given_up);
    EXPECT_EQ(got_given_up.size(), 0u);
    EXPECT_EQ(given_up.how_ended(), replies_end::cancelled);
}

TEST(Connection, TakesManyAnswersUntilOneOfTheLimits) {
    const auto server = start_server();
    run(ask_many(server->url()));
}

awaitable<void> end_subscriptions(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    auto three = nats.subscribe("a", {.messages_max = 3}).value();
    auto two = nats.subscribe("a").value();
    two.unsubscribe(2);
    auto none = nats.subscribe("a").value();
    none.unsubscribe();
    for (int i = 0; i < 5; ++i) nats.publish("a", std::to_string(i)).value();
    co_await flush(nats);
    EXPECT_EQ(three.statistics().pending_messages, 3u);
    EXPECT_EQ(two.statistics().pending_messages, 2u);
    EXPECT_FALSE(three.is_active());
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(three.try_next());
    auto ended = co_await three.next(use_awaitable);
    EXPECT_EQ(ended.error(), errc::subscription_ended);
    ended = co_await none.next(use_awaitable);
    EXPECT_EQ(ended.error(), errc::subscription_ended);
    EXPECT_EQ(nats.subscribe("a..b").error(), protocol::errc::invalid_subject);

    subscription moved = std::move(two);
    EXPECT_TRUE(moved.try_next());
    EXPECT_FALSE(two.is_active()); // NOLINT(bugprone-use-after-move): it is of nothing.
}

TEST(Connection, EndsSubscriptionsAtTheirLimitAndOnDemand) {
    const auto server = start_server();
    run(end_subscriptions(server->url()));
}

awaitable<void> share_a_queue(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    int count = 0;
    const auto counts = [&](message) { ++count; };
    auto one = nats.subscribe("work", counts, {.queue = "q"});
    auto other = nats.subscribe("work", counts, {.queue = "q"});
    for (int i = 0; i < 100; ++i) nats.publish("work", "").value();
    co_await flush(nats);
    EXPECT_EQ(count, 100);
}

TEST(Connection, SharesWorkInAQueueGroup) {
    const auto server = start_server();
    run(share_a_queue(server->url()));
}

/// Answers a little later, as somebody who works for it.
awaitable<void> serve(connection& nats, subscription& requests) {
    for (;;) {
        auto request = co_await requests.next(use_awaitable);
        if (!request) co_return;
        co_await asio::post(use_awaitable);
        EXPECT_TRUE(nats.respond(*request, "done"));
    }
}

awaitable<void> drain_a_service(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection asks(executor, {.servers = {url}});
    connection answers(executor, {.servers = {url}});
    co_await connect(asks);
    co_await connect(answers);
    auto requests = answers.subscribe("work").value();
    co_await flush(answers);
    auto inbox = asks.subscribe("inbox").value();
    for (int i = 0; i < 100; ++i) asks.publish("work", "", {.reply = "inbox"}).value();
    co_await flush(asks);
    asio::co_spawn(executor, serve(answers, requests), asio::detached);
    auto drained = co_await answers.drain(use_awaitable);
    EXPECT_TRUE(drained) << drained.error().message();
    EXPECT_TRUE(answers.is_closed());
    co_await flush(asks);
    EXPECT_EQ(inbox.statistics().pending_messages, 100u) << "what was on its way was answered";
    auto again = co_await answers.drain(use_awaitable);
    EXPECT_EQ(again.error(), protocol::errc::closed);
}

TEST(Connection, DrainsWhatIsOnItsWayAndLetsItBeAnswered) {
    const auto server = start_server();
    run(drain_a_service(server->url()));
}

awaitable<void> drain_unread(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}, .drain_timeout = 50ms});
    co_await connect(nats);
    auto unread = nats.subscribe("a").value();
    nats.publish("a", "").value();
    auto drained = co_await nats.drain(use_awaitable);
    EXPECT_EQ(drained.error().message(), "timed out: not all messages were handed out: 1 of 'a'");
    EXPECT_TRUE(nats.is_closed());
    EXPECT_TRUE(unread.try_next()) << "it can still be taken";
}

TEST(Connection, EndsADrainInTimeWhenNobodyTakesTheMessages) {
    const auto server = start_server();
    run(drain_unread(server->url()));
}

awaitable<void> publish_now_and_then(connection& nats, int messages) {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    for (int i = 0; i < messages; ++i) {
        pause.expires_after(1ms);
        co_await pause.async_wait(use_awaitable);
        nats.publish("a", std::to_string(i)).value();
    }
}

awaitable<void> take_in_time(std::string url) {
    constexpr int many = 200;
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    auto messages = nats.subscribe("a").value();
    auto none = co_await messages.next(10ms, use_awaitable);
    EXPECT_EQ(none.error().message(), "timed out: no message for 'a' in 10 ms");
    asio::co_spawn(executor, publish_now_and_then(nats, many), asio::detached);
    const auto until = std::chrono::steady_clock::now() + patience;
    for (int taken = 0; taken < many && std::chrono::steady_clock::now() < until;) {
        auto next = co_await messages.next(1ms, use_awaitable);
        if (!next) {
            EXPECT_EQ(next.error(), protocol::errc::timeout);
            continue;
        }
        EXPECT_EQ(next->payload(), std::to_string(taken++));
    }
    EXPECT_EQ(messages.statistics().delivered_messages, static_cast<std::uint64_t>(many));
    messages.unsubscribe();
    auto late = co_await messages.next(patience, use_awaitable);
    EXPECT_EQ(late.error(), errc::subscription_ended);
}

TEST(Connection, LosesNoMessageThatComesWhenTheTimeForItIsOver) {
    const auto server = start_server();
    run(take_in_time(server->url()));
}

awaitable<void> drain_one(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    auto messages = nats.subscribe("a").value();
    for (int i = 0; i < 10; ++i) nats.publish("a", "").value();
    auto drained = co_await messages.drain(use_awaitable);
    EXPECT_TRUE(drained);
    EXPECT_FALSE(messages.is_active());
    EXPECT_EQ(messages.statistics().pending_messages, 10u);
    EXPECT_TRUE(nats.is_connected());
}

TEST(Connection, DrainsASubscription) {
    const auto server = start_server();
    run(drain_one(server->url()));
}

awaitable<void> read_slowly(std::string url, when_full policy, std::vector<std::string>& taken,
                            subscription_statistics& statistics, int& told) {
    const auto executor = co_await asio::this_coro::executor;
    connection_options options{.servers = {url}};
    options.on_event = [&](const connection_event& what) {
        if (std::holds_alternative<event::slow_consumer>(what)) ++told;
    };
    connection nats(executor, options);
    co_await connect(nats);
    auto slow = nats.subscribe("a", {.pending_messages_max = 10, .policy = policy}).value();
    for (int i = 0; i < 30; ++i) nats.publish("a", std::to_string(i)).value();
    co_await flush(nats);
    co_await flush(nats);
    statistics = slow.statistics();
    while (auto next = slow.try_next()) taken.emplace_back(next->payload());
    nats.publish("a", "again").value();
    auto again = co_await slow.next(use_awaitable);
    EXPECT_EQ(again.value().payload(), "again");
}

TEST(Connection, DropsNewMessagesForASlowConsumerAndTellsOnce) {
    const auto server = start_server();
    std::vector<std::string> taken;
    subscription_statistics statistics;
    int told = 0;
    run(read_slowly(server->url(), when_full::drop_new, taken, statistics, told));
    EXPECT_EQ(statistics.dropped_messages, 20u);
    ASSERT_EQ(taken.size(), 10u);
    EXPECT_EQ(taken.front(), "0");
    EXPECT_EQ(told, 1);
}

TEST(Connection, DropsOldMessagesForASlowConsumer) {
    const auto server = start_server();
    std::vector<std::string> taken;
    subscription_statistics statistics;
    int told = 0;
    run(read_slowly(server->url(), when_full::drop_old, taken, statistics, told));
    EXPECT_EQ(statistics.dropped_messages, 20u);
    ASSERT_EQ(taken.size(), 10u);
    EXPECT_EQ(taken.front(), "20");
    EXPECT_EQ(told, 1);
}

constexpr int many = 20'000;

awaitable<void> hold_back(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection reads(executor, {.servers = {url}});
    connection writes(executor, {.servers = {url}});
    co_await connect(reads);
    co_await connect(writes);
    subscribe_options holding{.pending_messages_max = 100, .policy = when_full::wait};
    auto slow = reads.subscribe("a", holding).value();
    co_await flush(reads);
    const std::string payload(100, 'x');
    for (int i = 0; i < many; ++i) writes.publish("a", payload).value();
    co_await flush(writes);
    for (int i = 0; i < many; ++i) {
        auto next = co_await slow.next(use_awaitable);
        EXPECT_TRUE(next);
        // No more than one read goes beyond the limit.
        EXPECT_LT(slow.statistics().pending_messages,
                  holding.pending_messages_max + limits::input_buffer_bytes_max / payload.size());
    }
    EXPECT_EQ(slow.statistics().dropped_messages, 0u);
}

TEST(Connection, StopsReadingForASlowConsumerThatLosesNothing) {
    const auto server = start_server();
    run(hold_back(server->url()));
}

awaitable<void> publish_without_room(std::string url, std::atomic<bool>& may_read) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}, .pending_output_bytes_max = 64 * 1024});
    co_await connect(nats);
    const std::string payload(10'000, 'x');
    int queued = 0;
    while (nats.publish("a", payload)) {
        ++queued;
        co_await asio::post(use_awaitable);
    }
    EXPECT_EQ(nats.publish("a", payload).error(), protocol::errc::output_full);
    EXPECT_GT(queued, 6);
    may_read = true;
    may_read.notify_one();
    const publish_options plain;
    for (int i = 0; i < 100; ++i) {
        auto published = co_await nats.publish("a", payload, plain, use_awaitable);
        EXPECT_TRUE(published);
    }
    const std::string too_large(2 * 1024 * 1024, 'x');
    auto refused = co_await nats.publish("a", too_large, plain, use_awaitable);
    EXPECT_EQ(refused.error(), protocol::errc::payload_too_large);
}

TEST(Connection, WaitsForRoomToPublish) {
    std::atomic<bool> may_read = false;
    const false_server server([&](false_server::peer& client) {
        client.greet();
        may_read.wait(false);
        client.wait_until_gone();
    });
    run(publish_without_room(server.url(), may_read));
}

awaitable<void> publish_without_end(connection& nats, const bool& is_over, int& published) {
    const publish_options plain;
    while (!is_over) {
        auto outcome = co_await nats.publish("a", "x", plain, use_awaitable);
        outcome.value();
        ++published;
    }
}

awaitable<void> publish_beside_others(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    auto messages = nats.subscribe("a").value();
    bool is_over = false;
    int published = 0;
    asio::co_spawn(executor, publish_without_end(nats, is_over, published), asio::detached);
    for (int i = 0; i < 1000; ++i) {
        auto next = co_await messages.next(use_awaitable);
        EXPECT_EQ(next.value().payload(), "x");
    }
    EXPECT_GE(published, 1000);
    is_over = true;
    const auto all = published;
    for (int i = 0; i < 100 && published == all; ++i) co_await asio::post(use_awaitable);
}

TEST(Connection, ACoroutineThatOnlyPublishesLetsOthersRun) {
    const auto server = start_server();
    run(publish_beside_others(server->url()));
}

TEST(Connection, LetsExceptionsOfCallbacksOutOfRunAndGoesOn) {
    const auto server = start_server();
    asio::io_context io;
    connection nats(io.get_executor(), {.servers = {server->url()}});
    std::vector<std::string> seen;
    bool connected = false;
    nats.connect([&](result<> how) { connected = how.has_value(); });
    auto throws = nats.subscribe("a", [&](message what) {
        seen.emplace_back(what.payload());
        if (what.payload() == "1") throw std::runtime_error("from the callback");
    });
    run_until(io, [&] { return connected; });
    for (const auto* text : {"0", "1", "2"}) nats.publish("a", text).value();
    std::string thrown;
    while (thrown.empty()) {
        try {
            io.run_one_for(patience);
        } catch (const std::runtime_error& what) {
            thrown = what.what();
        }
    }
    EXPECT_EQ(thrown, "from the callback");
    run_until(io, [&] { return seen.size() == 3; });
    EXPECT_TRUE(nats.is_connected());
}

TEST(Connection, IsUsableFromAnyThreadWithFutures) {
    const auto server = start_server();
    asio::io_context io;
    auto work = asio::make_work_guard(io);
    std::thread runs([&] { io.run(); });
    {
        connection nats(io.get_executor(), {.servers = {server->url()}});
        nats.connect(asio::use_future).get().value();
        std::atomic<int> count = 0;
        auto echo = nats.subscribe("echo", [&](message request) {
            ++count;
            (void)nats.respond(request, request.payload());
        });
        nats.flush(asio::use_future).get().value();
        constexpr int requests = 3000;
        const auto ask = [&] {
            std::vector<std::future<result<message>>> answers;
            for (int i = 0; i < requests; ++i) {
                answers.push_back(nats.request("echo", std::to_string(i), asio::use_future));
            }
            for (int i = 0; i < requests; ++i) {
                EXPECT_EQ(answers[static_cast<std::size_t>(i)].get().value().payload(),
                          std::to_string(i));
            }
        };
        std::thread other(ask);
        ask();
        other.join();
        EXPECT_EQ(count, 2 * requests);
    }
    work.reset();
    runs.join();
}

} // namespace
} // namespace pipit::client
