// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/test_silent_resolver.hpp>

#include <support/client_world.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <future>
#include <mutex>
#include <optional>
#include <thread>

namespace pipit::client {
namespace {

using namespace support;

using net::test::resolver;

struct Lookup : testing::Test {
    ~Lookup() override { resolver.answer(); }
};

TEST_F(Lookup, IsNotWaitedForByTheEndOfABlockingConnection) {
    std::optional<blocking_connection> nats;
    nats.emplace(connection_options{.servers = {"nats://silent.example"}});
    auto* const used = &*nats;
    auto connects = std::async(std::launch::async, [used] { return used->connect(); });
    resolver.wait_until_asked();
    nats.reset();
    EXPECT_EQ(connects.get().error(), protocol::errc::closed);
}

TEST_F(Lookup, IsNotWaitedForByTheEndOfAnExecutionContext) {
    auto io = std::make_unique<asio::io_context>();
    connection nats(io->get_executor(), {.servers = {"nats://silent.example"}});
    nats.connect([](const result<>&) { ADD_FAILURE() << "it has no executor any more"; });
    io->run_for(10ms);
    resolver.wait_until_asked();
    io.reset();
}

TEST_F(Lookup, EndsInTimeAndDoesNotFillTheMachine) {
    run([]() -> asio::awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        connection_options options{.servers = {"nats://silent.example"}};
        options.connect_timeout = 5ms;
        options.reconnect_wait = 1ms;
        options.reconnect_wait_max = 1ms;
        options.reconnect_jitter = 0ms;
        options.reconnect_attempts_max = 20;
        options.retry_on_failed_connect = true;
        std::promise<void> closed;
        options.on_event = [&](const connection_event& what) {
            if (std::holds_alternative<event::closed>(what)) closed.set_value();
        };
        connection nats(executor, options);
        auto connected = co_await nats.connect(asio::use_awaitable);
        EXPECT_TRUE(connected);
        auto over = closed.get_future();
        asio::steady_timer pause(executor);
        while (over.wait_for(0s) != std::future_status::ready) {
            pause.expires_after(1ms);
            co_await pause.async_wait(asio::use_awaitable);
        }
    }());
    const std::lock_guard held(resolver.mutex);
    EXPECT_GT(resolver.most, 1);
    EXPECT_LE(resolver.most, 4);
}

TEST_F(Lookup, FindsNames) {
    const auto server = start_server();
    blocking_connection nats({.servers = {"nats://localhost:" + std::to_string(server->port())}});
    EXPECT_TRUE(nats.connect());
}

} // namespace
} // namespace pipit::client
