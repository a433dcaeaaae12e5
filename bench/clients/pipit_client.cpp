// SPDX-License-Identifier: Apache-2.0
// The shapes with Pipit: pipit_client <shape> <url> <seconds>
#include "measure.h"

#include <pipit/client.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::use_awaitable;

std::string shape;
std::string url;
std::uint64_t duration_ns = 0;
constexpr std::string_view payload = "0123456789abcdef";

/// What is open goes with the process.
std::vector<std::unique_ptr<pipit::connection>> connections_open;
std::vector<std::unique_ptr<pipit::blocking_connection>> blocking_open;
std::vector<pipit::subscription> subscriptions_open;

[[noreturn]] void finish(const measurement& since, std::uint64_t operations,
                         std::vector<std::uint32_t> latencies = {}) {
    report("Pipit", shape.c_str(), since, operations, latencies.data(), latencies.size());
    std::_Exit(0);
}

bool is_over(const measurement& since) { return now_ns() - since.wall_ns >= duration_ns; }

pipit::connection_options options() {
    pipit::connection_options out;
    out.servers = {url};
    return out;
}

asio::awaitable<pipit::connection*> connected() {
    const auto executor = co_await asio::this_coro::executor;
    connections_open.push_back(std::make_unique<pipit::connection>(executor, options()));
    auto* const nats = connections_open.back().get();
    const auto outcome = co_await nats->connect(use_awaitable);
    outcome.value();
    co_return nats;
}

asio::awaitable<void> flush(pipit::connection& nats) {
    const auto outcome = co_await nats.flush(use_awaitable);
    outcome.value();
}

asio::awaitable<void> publish() {
    auto* const nats = co_await connected();
    const pipit::publish_options plain;
    const auto begun = measure();
    std::uint64_t sent = 0;
    for (; !is_over(begun); sent += batch) {
        for (int i = 1; i < batch; ++i) nats->publish("bench", payload).value();
        // The last one waits while there is no room, and lets the connection read.
        const auto outcome = co_await nats->publish("bench", payload, plain, use_awaitable);
        outcome.value();
    }
    co_await flush(*nats);
    finish(begun, sent);
}

/// Counts what the feeder sends, and asks it for more.
template <class Connection>
struct receiver {
    Connection* nats;
    measurement begun{};
    std::uint64_t received = 0;

    void start() {
        for (int i = 0; i < chunks_ahead; ++i) nats->publish("more", "").value();
    }
    void take(const pipit::message&) {
        if (received++ == 0) begun = measure();
        if (received % chunk_messages != 0) return;
        if (is_over(begun)) finish(begun, received);
        nats->publish("more", "").value();
    }
};

asio::awaitable<void> receive_by_callback() {
    auto* const nats = co_await connected();
    receiver<pipit::connection> me{nats};
    auto take = [me](pipit::message message) mutable { me.take(message); };
    subscriptions_open.push_back(nats->subscribe("bench", std::move(take)).value());
    me.start();
}

asio::awaitable<void> receive_by_coroutine() {
    auto* const nats = co_await connected();
    receiver<pipit::connection> me{nats};
    auto subscription = nats->subscribe("bench").value();
    me.start();
    for (;;) {
        const auto message = co_await subscription.next(use_awaitable);
        me.take(message.value());
    }
}

struct requests {
    pipit::connection* nats = nullptr;
    measurement begun{};
    std::vector<std::uint32_t> latencies;
    int running = 0;
};
requests all_requests;

asio::awaitable<void> request_in_turn() {
    auto& all = all_requests;
    for (auto asked = now_ns(); !is_over(all.begun); asked = now_ns()) {
        const auto reply = co_await all.nats->request("echo", payload, use_awaitable);
        reply.value();
        all.latencies.push_back(static_cast<std::uint32_t>(now_ns() - asked));
    }
    if (--all.running == 0) finish(all.begun, all.latencies.size(), all.latencies);
}

void rethrow(const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
}

asio::awaitable<void> request(int in_flight) {
    auto& all = all_requests;
    all.nats = co_await connected();
    all.latencies.reserve(latencies_max);
    all.running = in_flight;
    all.begun = measure();
    const auto executor = co_await asio::this_coro::executor;
    for (int i = 0; i < in_flight; ++i) asio::co_spawn(executor, request_in_turn(), rethrow);
}

/// Answers the requests of all clients.
asio::awaitable<void> echo() {
    auto* const nats = co_await connected();
    auto answer = [nats](const pipit::message& asked) {
        nats->respond(asked, asked.payload()).value();
    };
    subscriptions_open.push_back(nats->subscribe("echo", answer).value());
    co_await flush(*nats);
    std::puts("ready");
    std::fflush(stdout);
}

asio::awaitable<void> connections() {
    auto* const first = co_await connected();
    co_await flush(*first);
    const auto begun = measure();
    for (int i = 0; i < 100; ++i) {
        auto* const nats = co_await connected();
        co_await flush(*nats);
    }
    finish(begun, 100);
}

asio::awaitable<void> subscriptions() {
    auto* const nats = co_await connected();
    co_await flush(*nats);
    const auto begun = measure();
    for (int i = 0; i < 10'000; ++i) {
        auto made = nats->subscribe("bench." + std::to_string(i), [](const pipit::message&) {});
        subscriptions_open.push_back(std::move(made).value());
    }
    co_await flush(*nats);
    finish(begun, 10'000);
}

namespace blocking {

pipit::blocking_connection* connected() {
    blocking_open.push_back(std::make_unique<pipit::blocking_connection>(options()));
    blocking_open.back()->connect().value();
    return blocking_open.back().get();
}

void publish() {
    auto* const nats = connected();
    const auto begun = measure();
    std::uint64_t sent = 0;
    for (; !is_over(begun); sent += batch) {
        for (int i = 0; i < batch; ++i) nats->publish("bench", payload).value();
    }
    nats->flush().value();
    finish(begun, sent);
}

void receive() {
    receiver<pipit::blocking_connection> me{connected()};
    auto subscription = me.nats->subscribe("bench").value();
    me.start();
    for (;;) me.take(subscription.next().value());
}

void request() {
    auto* const nats = connected();
    std::vector<std::uint32_t> latencies;
    latencies.reserve(latencies_max);
    const auto begun = measure();
    for (auto asked = now_ns(); !is_over(begun); asked = now_ns()) {
        nats->request("echo", payload).value();
        latencies.push_back(static_cast<std::uint32_t>(now_ns() - asked));
    }
    finish(begun, latencies.size(), latencies);
}

void connections() {
    connected()->flush().value();
    const auto begun = measure();
    for (int i = 0; i < 100; ++i) connected()->flush().value();
    finish(begun, 100);
}

} // namespace blocking

const std::map<std::string, std::function<void()>> blocking_shapes = {
    {"publish-blocking", blocking::publish},
    {"receive-next-blocking", blocking::receive},
    {"request-1-blocking", blocking::request},
    {"connections-blocking", blocking::connections},
};

const std::map<std::string, std::function<asio::awaitable<void>()>> shapes = {
    {"publish", publish},
    {"receive-callback", receive_by_callback},
    {"receive-next", receive_by_coroutine},
    {"request-1", [] { return request(1); }},
    {"request-256", [] { return request(256); }},
    {"connections", connections},
    {"subscriptions", subscriptions},
    {"echo", echo},
};

} // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    shape = argv[1];
    url = argv[2];
    duration_ns = static_cast<std::uint64_t>(std::atof(argv[3]) * 1e9);
    if (blocking_shapes.contains(shape)) blocking_shapes.at(shape)();
    asio::io_context io(1);
    asio::co_spawn(io, shapes.at(shape)(), rethrow);
    io.run();
}
