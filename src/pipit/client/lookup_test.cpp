// SPDX-License-Identifier: Apache-2.0
// Names that the system does not find out about: `getaddrinfo` of this program waits with them.
#include <support/client_world.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <condition_variable>
#include <cstring>
#include <dlfcn.h>
#include <future>
#include <mutex>
#include <netdb.h>
#include <optional>
#include <thread>

namespace pipit::client {
namespace {

using namespace support;

struct silent_resolver {
    std::mutex mutex;
    std::condition_variable changed;
    int waiting = 0;
    int most = 0;
    bool answers = false;

    void ask() {
        std::unique_lock held(mutex);
        most = std::max(most, ++waiting);
        changed.notify_all();
        changed.wait(held, [this] { return answers; });
        --waiting;
        changed.notify_all();
    }
    void wait_until_asked() {
        std::unique_lock held(mutex);
        EXPECT_TRUE(changed.wait_for(held, patience, [this] { return waiting > 0; }));
    }
    /// Everybody is told that there is no such name.
    void answer() {
        std::unique_lock held(mutex);
        answers = true;
        changed.notify_all();
        EXPECT_TRUE(changed.wait_for(held, patience, [this] { return waiting == 0; }));
        answers = false;
        most = 0;
    }
};
silent_resolver resolver;

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

// NOLINTNEXTLINE(readability-identifier-naming): the system's.
extern "C" __attribute__((visibility("default"))) int
getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
    if (name != nullptr && std::strcmp(name, "silent.example") == 0) {
        pipit::client::resolver.ask();
        return EAI_NONAME;
    }
    using function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto systems = reinterpret_cast<function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return systems(name, service, hints, found);
}
