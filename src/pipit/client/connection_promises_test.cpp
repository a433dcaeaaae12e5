// SPDX-License-Identifier: Apache-2.0
// What a connection promises where it is easily broken: at ends, at limits, beside others.
#include <support/client_world.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <fcntl.h>
#include <filesystem>
#include <future>
#include <optional>
#include <set>
#include <vector>

namespace pipit::client {
namespace {

using namespace support;
using asio::awaitable;
using asio::use_awaitable;

/// Sends one message for each of two subscriptions, of which the second one ends with it, at once.
void send_both(false_server::peer& client) {
    client.greet();
    client.read_until("UNSUB 2 1\r\n");
    client.send("MSG a 1 0\r\n\r\nMSG b 2 0\r\n\r\n");
    client.wait_until_gone();
}

TEST(ConnectionPromises, NoCallbackIsCalledAfterTheEndOfItsSubscription) {
    const false_server server(send_both);
    asio::io_context io;
    connection nats(io.get_executor(), {.servers = {server.url()}});
    nats.connect(asio::detached);
    int calls = 0;
    bool has_ended = false;
    std::optional<subscription> limited;
    auto first = nats.subscribe("a", [&](message) {
        limited.reset();
        has_ended = true;
    });
    limited = nats.subscribe("b", [&](message) { ++calls; }, {.messages_max = 1}).value();
    run_until(io, [&] { return has_ended; });
    EXPECT_EQ(calls, 0);
}

TEST(ConnectionPromises, NoCallbackIsCalledAfterTheEndOfItsConnection) {
    const false_server server(send_both);
    asio::io_context io;
    std::optional<connection> nats;
    nats.emplace(io.get_executor(), connection_options{.servers = {server.url()}});
    nats->connect(asio::detached);
    int calls = 0;
    auto first = nats->subscribe("a", [&](message) { nats.reset(); });
    auto limited = nats->subscribe("b", [&](message) { ++calls; }, {.messages_max = 1}).value();
    run_until(io, [&] { return !nats; });
    EXPECT_EQ(calls, 0);
}

awaitable<void> ask_until_the_last(std::string url, int& questions) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    request_many_options how;
    how.is_last = [&](const message&) { return ++questions == 2; };
    auto answers = nats.request_many("a", "", how).value();
    auto first = co_await answers.next(use_awaitable);
    EXPECT_TRUE(first.value());
    auto end = co_await answers.next(use_awaitable);
    EXPECT_FALSE(end.value());
    EXPECT_EQ(answers.how_ended(), protocol::replies_end::sentinel);
}

TEST(ConnectionPromises, NobodyIsAskedAboutAnswersBehindTheLastOne) {
    const false_server server([](false_server::peer& client) {
        client.greet();
        client.read_until("PUB a ");
        auto reply = client.read_until(" 0\r\n\r\n");
        reply.resize(reply.size() - 6);
        std::string answers;
        for (int i = 0; i < 5; ++i) answers += "MSG " + reply + " 1 1\r\nx\r\n";
        client.send(answers);
        client.wait_until_gone();
    });
    int questions = 0;
    run(ask_until_the_last(server.url(), questions));
    EXPECT_EQ(questions, 2);
}

awaitable<void> leave_behind_a_message(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection reads(executor, {.servers = {url}});
    connection nats(executor, {.servers = {url}});
    co_await connect(reads);
    co_await connect(nats);
    auto messages = reads.subscribe("a").value();
    co_await flush(reads);
    nats.publish("a", "before").value();
    nats.reconnect();
    nats.publish("a", "after").value();
    for (const auto* text : {"before", "after"}) {
        auto next = co_await messages.next(use_awaitable);
        EXPECT_EQ(next.value().payload(), text);
    }
}

TEST(ConnectionPromises, WhatWasPublishedIsSentBeforeAServerIsLeft) {
    const auto server = start_server();
    run(leave_behind_a_message(server->url()));
}

awaitable<void> publish_what_never_fits(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}, .pending_output_bytes_max = 1000});
    co_await connect(nats);
    const publish_options plain;
    const std::string large(1000, 'x');
    auto refused = co_await nats.publish("a", large, plain, use_awaitable);
    EXPECT_EQ(refused.error(), protocol::errc::output_full);
    EXPECT_NE(refused.error().message().find("pending_output_bytes_max"), std::string::npos);
    auto queued = co_await nats.publish("a", "fits", plain, use_awaitable);
    EXPECT_TRUE(queued);
}

TEST(ConnectionPromises, NothingWaitsForRoomThatThereNeverIs) {
    const auto server = start_server();
    run(publish_what_never_fits(server->url()));
}

awaitable<void> publish_some(connection& nats, int& done) {
    const publish_options plain;
    const std::string payload(10'000, 'x');
    for (int i = 0; i < 200; ++i) {
        auto queued = co_await nats.publish("a", payload, plain, use_awaitable);
        EXPECT_TRUE(queued);
    }
    ++done;
}

TEST(ConnectionPromises, SeveralMayWaitForRoom) {
    const auto server = start_server();
    asio::io_context io;
    connection nats(io.get_executor(),
                    {.servers = {server->url()}, .pending_output_bytes_max = 20'000});
    nats.connect(asio::detached);
    int done = 0;
    constexpr int several = 5;
    run_until(io, [&] { return nats.is_connected(); });
    for (int i = 0; i < several; ++i) {
        asio::co_spawn(io, publish_some(nats, done), asio::detached);
    }
    run_until(io, [&] { return done == several; });
}

TEST(ConnectionPromises, WhoWaitsForRoomDoesNotWaitForAServer) {
    asio::io_context io;
    asio::ip::tcp::acceptor server(io, {asio::ip::make_address("127.0.0.1"), 0});
    // Whatever the system's limits are, the sockets take less than is published.
    server.set_option(asio::socket_base::receive_buffer_size(16'384));
    const auto url = "nats://127.0.0.1:" + std::to_string(server.local_endpoint().port());
    std::promise<void> over;
    std::thread serves([&] {
        false_server::peer client(server.accept());
        client.greet();
        over.get_future().wait(); // And reads nothing.
    });
    connection nats(io.get_executor(), {.servers = {url},
                                        .pending_output_bytes_max = 100'000,
                                        .reconnect_buffer_bytes_max = 1000});
    nats.connect(asio::detached);
    run_until(io, [&] { return nats.is_connected(); });
    constexpr std::size_t many = 3000;
    const publish_options plain;
    const std::string payload(10'000, 'x');
    std::vector<result<>> outcomes;
    for (std::size_t i = 0; i < many; ++i) {
        nats.publish("a", payload, plain,
                     [&](result<> how) { outcomes.push_back(std::move(how)); });
    }
    io.restart();
    io.poll();
    EXPECT_LT(outcomes.size(), many);
    over.set_value();
    serves.join();
    run_until(io, [&] { return outcomes.size() == many; });
    const auto& last = outcomes.back();
    EXPECT_EQ(last.error(), protocol::errc::output_full);
    EXPECT_NE(last.error().message().find("reconnect_buffer_bytes_max"), std::string::npos);
}

TEST(ConnectionPromises, SeveralMayWaitForMessagesOfOneSubscription) {
    const auto server = start_server();
    asio::io_context io;
    connection nats(io.get_executor(), {.servers = {server->url()}});
    nats.connect(asio::detached);
    auto messages = nats.subscribe("a").value();
    asio::cancellation_signal give_up;
    std::string taken;
    bool is_cancelled = false;
    messages.next(asio::bind_cancellation_slot(give_up.slot(), [&](result<message> next) {
        EXPECT_EQ(next.error(), protocol::errc::cancelled);
        is_cancelled = true;
    }));
    for (int i = 0; i < 5; ++i) {
        messages.next([&](result<message> next) { taken += next.value().payload(); });
    }
    give_up.emit(asio::cancellation_type::total);
    for (const auto* text : {"1", "2", "3", "4", "5"}) nats.publish("a", text).value();
    run_until(io, [&] { return taken.size() == 5; });
    EXPECT_TRUE(is_cancelled);
    EXPECT_EQ(taken, "12345");
}

TEST(ConnectionPromises, OneOfSeveralMayStopWaitingForADrain) {
    const auto server = start_server();
    asio::io_context io;
    connection nats(io.get_executor(), {.servers = {server->url()}});
    nats.connect(asio::detached);
    run_until(io, [&] { return nats.is_connected(); });
    asio::cancellation_signal give_up;
    std::optional<result<>> cancelled;
    int drained = 0;
    nats.drain(asio::bind_cancellation_slot(give_up.slot(),
                                            [&](result<> how) { cancelled = std::move(how); }));
    for (int i = 0; i < 3; ++i) {
        nats.drain([&](result<> how) { drained += how.has_value() ? 1 : 0; });
    }
    give_up.emit(asio::cancellation_type::total);
    run_until(io, [&] { return drained == 3 && cancelled; });
    EXPECT_EQ(cancelled->error(), protocol::errc::cancelled);
}

TEST(ConnectionPromises, AnyNumberOfSubscriptionsIsDrained) {
    constexpr int many = 100'000;
    const auto server = start_server();
    asio::io_context io;
    connection nats(io.get_executor(), {.servers = {server->url()}, .drain_timeout = patience});
    nats.connect(asio::detached);
    std::vector<subscription> all;
    for (int i = 0; i < many; ++i) {
        all.push_back(nats.subscribe("a." + std::to_string(i)).value());
    }
    run_until(io, [&] { return nats.is_connected(); });
    nats.publish("a." + std::to_string(many - 1), "the last one").value();
    std::optional<result<>> drained;
    nats.drain([&](result<> how) { drained = std::move(how); });
    std::optional<message> last;
    run_until(io, [&] {
        if (!last) last = all.back().try_next();
        return drained.has_value();
    });
    EXPECT_TRUE(*drained) << drained->error().message();
    EXPECT_TRUE(last);
}

TEST(ConnectionPromises, WhoHoldsBackTheReadingKeepsTheConnection) {
    const auto server = start_server();
    asio::io_context io;
    int disconnected = 0;
    connection_options options{.servers = {server->url()}};
    options.ping_interval = 10ms;
    options.pings_outstanding_max = 1;
    options.on_event = [&](const connection_event& what) {
        disconnected += std::holds_alternative<event::disconnected>(what) ? 1 : 0;
    };
    connection nats(io.get_executor(), options);
    auto slow = nats.subscribe("a", {.pending_messages_max = 1, .policy = when_full::wait}).value();
    nats.connect(asio::detached);
    run_until(io, [&] { return nats.is_connected(); });
    nats.publish("a", "one").value();
    run_until(io, [&] { return slow.statistics().pending_messages == 1; });
    const auto lost_before = disconnected; // On a machine that is too slow for such pings.
    io.restart();
    io.run_for(500ms);
    EXPECT_EQ(disconnected, lost_before);
    EXPECT_EQ(slow.try_next()->payload(), "one");
}

TEST(ConnectionPromises, WhoIsDisconnectedIsToldFromWhere) {
    auto server = start_server();
    const auto place = "127.0.0.1:" + std::to_string(server->port());
    asio::io_context io;
    std::string why;
    connection_options options{.servers = {server->url()}};
    options.on_event = [&](const connection_event& what) {
        if (const auto* const lost = std::get_if<event::disconnected>(&what)) {
            why = lost->why.message();
        }
    };
    connection nats(io.get_executor(), options);
    nats.connect(asio::detached);
    run_until(io, [&] { return nats.is_connected(); });
    server.reset();
    run_until(io, [&] { return !why.empty(); });
    EXPECT_NE(why.find(place), std::string::npos) << why;
}

TEST(ConnectionPromises, AServerIsWaitedForHoweverLongItIsAway) {
    auto server = start_server();
    const auto port = server->port();
    asio::io_context io;
    int failures = 0;
    int connects = 0;
    connection_options options{.servers = {server->url()}};
    options.reconnect_wait = options.reconnect_wait_max = 1ms;
    options.reconnect_jitter = 0ms;
    options.on_event = [&](const connection_event& what) {
        failures += std::holds_alternative<event::asynchronous_error>(what) ? 1 : 0;
        connects += std::holds_alternative<event::connected>(what) ? 1 : 0;
    };
    connection nats(io.get_executor(), options);
    auto messages = nats.subscribe("a").value();
    nats.connect(asio::detached);
    run_until(io, [&] { return connects == 1; });
    server.reset();
    run_until(io, [&] { return failures >= 200 || nats.is_closed(); });
    EXPECT_TRUE(messages.is_active());
    server = start_server({.port = port});
    run_until(io, [&] { return connects == 2; });
    nats.publish("a", "again").value();
    run_until(io, [&] { return messages.try_next().has_value(); });
}

awaitable<void> publish_until(connection& nats, const bool& is_over, int& published) {
    const publish_options plain;
    constexpr int many = 1'000'000;
    while (!is_over && published < many) {
        auto outcome = co_await nats.publish("a", "x", plain, use_awaitable);
        outcome.value();
        ++published;
    }
}

TEST(ConnectionPromises, ACoroutineThatOnlyPublishesLetsOthersOfItsOwnExecutorRun) {
    const auto server = start_server();
    asio::io_context connects;
    auto work = asio::make_work_guard(connects);
    std::thread runs([&] { connects.run(); });
    {
        connection nats(connects.get_executor(), {.servers = {server->url()}});
        nats.connect(asio::use_future).get().value();
        asio::io_context io;
        bool has_run = false;
        int published = 0;
        asio::co_spawn(io, publish_until(nats, has_run, published), asio::detached);
        asio::post(io, [&] { has_run = true; });
        io.run();
        EXPECT_LE(published, 200);
    }
    work.reset();
    runs.join();
}

awaitable<void> take_ones_time(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    constexpr auto for_ever = std::chrono::milliseconds::max();
    connection_options options{.servers = {url}};
    options.connect_timeout = options.request_timeout = options.drain_timeout = for_ever;
    options.ping_interval = options.reconnect_wait = options.reconnect_wait_max = for_ever;
    connection nats(executor, options);
    co_await connect(nats);
    auto echo = nats.subscribe(
        "echo", [&](message asked) { EXPECT_TRUE(nats.respond(asked, asked.payload())); });
    auto answer = co_await nats.request("echo", "x", use_awaitable);
    EXPECT_EQ(answer.value().payload(), "x");
    co_await flush(nats);
    auto drained = co_await nats.drain(use_awaitable);
    EXPECT_TRUE(drained);
}

TEST(ConnectionPromises, ALimitOfTimeMayBeAsLongAsOneLikes) {
    const auto server = start_server();
    run(take_ones_time(server->url()));
}

/// What programs that are started from here would get.
std::set<int> inheritable_descriptors() {
    std::set<int> out;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        const int number = std::stoi(entry.path().filename());
        const int flags = ::fcntl(number, F_GETFD);
        if (flags != -1 && (flags & FD_CLOEXEC) == 0) out.insert(number);
    }
    return out;
}

TEST(ConnectionPromises, ProgramsThatAreStartedDoNotGetItsSockets) {
    const auto server = start_server();
    const auto before = inheritable_descriptors();
    blocking_connection blocks({.servers = {server->url()}});
    blocks.connect().value();
    asio::io_context io;
    connection nats(io.get_executor(), {.servers = {server->url()}});
    nats.connect(asio::detached);
    run_until(io, [&] { return nats.is_connected(); });
    EXPECT_EQ(inheritable_descriptors(), before);
}

} // namespace
} // namespace pipit::client
