// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/connection.hpp>
#include <pipit/client/error.hpp>
#include <pipit/protocol/error.hpp>
#include <pipit/server.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <functional>
#include <string>

namespace pipit::client {
namespace {

using namespace std::chrono_literals;
using asio::use_awaitable;

constexpr auto patience = 30s; // A failure must not hang.

std::unique_ptr<embedded_server> start_server(embedded_server_options options = {}) {
    auto started = embedded_server::start(std::move(options));
    return std::move(started.value());
}

/// Runs a coroutine to its end.
void run(asio::io_context& io, std::function<asio::awaitable<void>()> body) {
    bool done = false;
    asio::co_spawn(io, std::move(body), [&](std::exception_ptr thrown) {
        done = true;
        if (thrown) std::rethrow_exception(thrown);
    });
    io.run_for(patience);
    EXPECT_TRUE(done) << "it still waits for something";
}

asio::awaitable<void> connect(connection& nats) {
    auto connected = co_await nats.connect(use_awaitable);
    connected.value();
}

asio::awaitable<void> publish_and_take(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    auto messages = nats.subscribe("greet.*").value();
    nats.publish("greet.joe", "hello").value();
    auto got = co_await messages.next(use_awaitable);
    EXPECT_EQ(got.value().subject(), "greet.joe");
    EXPECT_EQ(got.value().payload(), "hello");
}

TEST(Connection, DeliversWhatItPublished) {
    const auto server = start_server();
    asio::io_context io;
    run(io, [&] { return publish_and_take(server->url()); });
}

asio::awaitable<void> ask_and_answer(std::string url) {
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
    auto drained = co_await nats.drain(use_awaitable);
    EXPECT_TRUE(drained);
    EXPECT_TRUE(nats.is_closed());
}

TEST(Connection, AsksAndAnswers) {
    const auto server = start_server();
    asio::io_context io;
    run(io, [&] { return ask_and_answer(server->url()); });
}

} // namespace
} // namespace pipit::client
