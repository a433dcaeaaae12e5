// SPDX-License-Identifier: Apache-2.0
// A child by `fork` has its parent's connections, and must leave them alone.
#include <support/client_world.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>

#include <atomic>
#include <optional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace pipit::client {
namespace {

using namespace support;
using asio::awaitable;

/// In a child of a process with threads a sanitizer's allocator may be locked for ever.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool may_allocate = false;
#else
constexpr bool may_allocate = true;
#endif

/// What a child answers; one that hangs is ended by its alarm. Nothing is allocated on the way.
template <class Child>
int in_a_child(Child child) {
    const auto id = ::fork();
    if (id == 0) {
        ::alarm(60);
        ::_exit(child());
    }
    int status = 0;
    ::waitpid(id, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool is_refused(const auto& outcome) { return outcome.error() == errc::made_before_fork; }

TEST(Forks, AChildIsToldThatAConnectionIsItsParents) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto own = nats.subscribe("a").value();
    auto called = nats.subscribe("b", [](const message&) {}).value();
    nats.flush().value();
    const auto answered = in_a_child([&] {
        if (!is_refused(nats.publish("a", "child"))) return 1;
        if (!is_refused(nats.request("a", "child"))) return 2;
        if (!is_refused(nats.request_many("a", "child"))) return 3;
        if (!is_refused(nats.flush()) || !is_refused(nats.rtt())) return 4;
        if (!is_refused(nats.subscribe("c"))) return 5;
        if (!is_refused(nats.connect()) || !is_refused(nats.drain())) return 6;
        if (!is_refused(own.next()) || !is_refused(own.drain())) return 7;
        if (own.try_next() || own.is_active()) return 8;
        if (nats.is_connected() || !nats.is_closed()) return 9;
        called.unsubscribe();
        nats.reconnect();
        nats.close();
        return 0;
    });
    EXPECT_EQ(answered, 0);
    nats.publish("a", "parent").value();
    EXPECT_EQ(own.next(patience).value().payload(), "parent");
    EXPECT_TRUE(called.is_active());
    nats.flush().value();
    EXPECT_EQ(nats.statistics().connects, 1u);
}

awaitable<void> publish_once(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    nats.publish("a", "child").value();
    co_await flush(nats);
}

TEST(Forks, AChildMayDestroyItsParentsConnectionAndMakeItsOwn) {
    const auto server = start_server();
    std::optional<blocking_connection> nats(std::in_place,
                                            connection_options{.servers = {server->url()}});
    nats->connect().value();
    std::optional<blocking_subscription> own = nats->subscribe("a").value();
    std::optional<blocking_subscription> called =
        nats->subscribe("b", [](const message&) {}).value();
    nats->flush().value();
    const auto url = server->url();
    const auto answered = in_a_child([&] {
        called.reset();
        nats.reset();
        own.reset();
        if (!may_allocate) return 0;
        asio::io_context io;
        run(io, publish_once(url));
        return testing::Test::HasFailure() ? 1 : 0;
    });
    EXPECT_EQ(answered, 0);
    if (may_allocate) {
        EXPECT_EQ(own->next(patience).value().payload(), "child");
    }
    nats->publish("a", "parent").value();
    EXPECT_EQ(own->next(patience).value().payload(), "parent");
    EXPECT_EQ(nats->statistics().connects, 1u);
}

TEST(Forks, AChildHangsOnNothingThatAThreadOfItsParentHeld) {
    const auto server = start_server();
    std::optional<blocking_connection> nats(std::in_place,
                                            connection_options{.servers = {server->url()}});
    nats->connect().value();
    std::atomic<bool> is_over = false;
    std::thread publishes([&] {
        while (!is_over) (void)nats->publish("a", "parent");
    });
    for (int i = 0; i < 20; ++i) {
        const auto answered = in_a_child([&] {
            const bool refused = is_refused(nats->publish("a", "child"));
            nats.reset();
            return refused ? 0 : 1;
        });
        EXPECT_EQ(answered, 0);
    }
    is_over = true;
    publishes.join();
    nats->flush().value();
    EXPECT_EQ(nats->statistics().connects, 1u);
}

/// An asynchronous connection with a subscription to `a`.
struct connected_world {
    connected_world() {
        nats->connect(asio::detached);
        run_until(io, [&] { return nats->is_connected(); });
    }

    decltype(start_server()) server = start_server();
    asio::io_context io;
    std::optional<connection> nats{std::in_place, io.get_executor(),
                                   connection_options{.servers = {server->url()}}};
    std::optional<subscription> own = nats->subscribe("a").value();
};

TEST(Forks, AChildDestroysAConnectionThatAnotherThreadOfItsParentWasUsing) {
    connected_world world;
    auto& [server, io, nats, own] = world;
    asio::cancellation_signal give_up;
    bool has_ended = false;
    own->next(asio::bind_cancellation_slot(
        give_up.slot(), [&](const result<message>& /*next*/) { has_ended = true; }));
    std::atomic<bool> is_over = false;
    std::thread asks([&] {
        while (!is_over) (void)nats->statistics();
    });
    for (int i = 0; i < 20; ++i) {
        const auto answered = in_a_child([&] {
            give_up.emit(asio::cancellation_type::total);
            own.reset();
            nats.reset();
            return has_ended ? 1 : 0;
        });
        EXPECT_EQ(answered, 0);
    }
    is_over = true;
    asks.join();
    give_up.emit(asio::cancellation_type::total);
    run_until(io, [&] { return has_ended; });
    EXPECT_TRUE(nats->is_connected());
}

TEST(Forks, AChildThatGoesOnWithAnExecutionContextLeavesItsConnectionsAlone) {
    connected_world world;
    auto& [server, io, nats, own] = world;
    io.notify_fork(asio::io_context::fork_prepare);
    const auto answered = in_a_child([&] {
        io.notify_fork(asio::io_context::fork_child);
        std::optional<result<>> flushed;
        if (!is_refused(nats->publish("a", "child"))) return 1;
        nats->flush([&](result<> how) { flushed = std::move(how); });
        run_until(io, [&] { return flushed.has_value(); });
        if (!flushed || !is_refused(*flushed)) return 2;
        own.reset();
        nats.reset();
        io.run_for(1ms);
        return 0;
    });
    io.notify_fork(asio::io_context::fork_parent);
    EXPECT_EQ(answered, 0);
    nats->publish("a", "parent").value();
    std::optional<message> next;
    run_until(io, [&] { return (next = own->try_next()).has_value(); });
    EXPECT_EQ(next->payload(), "parent");
    EXPECT_EQ(nats->statistics().connects, 1u);
}

} // namespace
} // namespace pipit::client
