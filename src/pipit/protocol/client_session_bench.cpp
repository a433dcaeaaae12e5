// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_session.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace pipit::protocol {
namespace {

using namespace std::chrono_literals;

constexpr steady_time now{1h};

/// Hands over as a socket does: as much as fits, at once.
template <class Tell>
void receive(client_session& session, bytes_view bytes, const Tell& tell) {
    while (!bytes.empty()) {
        const auto space = session.prepare();
        const auto count = std::min(space.size(), bytes.size());
        std::memcpy(space.data(), bytes.data(), count);
        session.commit(count, now);
        bytes.remove_prefix(count);
        while (auto event = session.next_event()) tell(*event);
    }
}

struct connected_session {
    client_session session{{.protocol = {.servers = {{.host = "a"}}}}, random_source(1)};
    std::string sent;

    connected_session() {
        const auto ignore = [](const session_event&) {};
        session.start(now);
        while (session.next_event()) {
        }
        session.transport_opened(now);
        receive(session, "INFO {\"server_id\":\"N\",\"headers\":true,\"max_payload\":100000} \r\n",
                ignore);
        session.connect({});
        receive(session, "PONG\r\n", ignore);
        take();
    }
    void take() {
        sent.clear();
        session.take_output(sent);
    }
};

/// Messages to owned messages, which wait in a driver's queue for a while.
void owned_messages(benchmark::State& state) {
    connected_session client;
    (void)client.session.subscribe("orders.*");
    const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
    const auto one =
        "MSG orders.new 1 " + std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
    std::string wire;
    while (wire.size() < 1'000'000) wire += one;
    std::vector<message> queue;
    std::int64_t messages = 0;
    for (auto unused : state) {
        receive(client.session, wire, [&](session_event& event) {
            const auto* const received = std::get_if<subscription_message>(&event);
            if (received == nullptr) return;
            queue.push_back(client.session.keep(received->message));
            if (queue.size() == 256) queue.clear();
            ++messages;
        });
    }
    state.SetItemsProcessed(messages);
}

void publish(benchmark::State& state) {
    connected_session client;
    const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
    std::int64_t messages = 0;
    for (auto unused : state) {
        for (int i = 0; i < 1000; ++i) {
            benchmark::DoNotOptimize(
                client.session.publish({.subject = "orders.new", .payload = payload}));
        }
        client.take();
        messages += 1000;
    }
    state.SetItemsProcessed(messages);
}

/// So many under way at once: asked for, sent, answered.
void request(benchmark::State& state) {
    connected_session client;
    const auto in_flight = state.range(0);
    std::string wire;
    std::int64_t answers = 0;
    for (auto unused : state) {
        for (std::int64_t i = 0; i < in_flight; ++i) {
            benchmark::DoNotOptimize(client.session.request(
                {.subject = "greet", .payload = "0123456789abcdef"}, now, 5s));
        }
        client.take();
        wire.clear();
        const bytes_view sent = client.sent;
        for (auto at = sent.find("PUB greet "); at != bytes_view::npos;
             at = sent.find("PUB greet ", at)) {
            at += 10;
            wire += "MSG ";
            wire += sent.substr(at, sent.find(' ', at) - at);
            wire += " 1 5\r\nhello\r\n";
        }
        receive(client.session, wire, [&](const session_event& event) {
            answers += std::holds_alternative<request_answered>(event) ? 1 : 0;
        });
    }
    state.SetItemsProcessed(answers);
}

BENCHMARK(owned_messages)->Arg(16)->Arg(128)->Arg(1024);
BENCHMARK(publish)->Arg(16)->Arg(128);
BENCHMARK(request)->Arg(1)->Arg(256)->Arg(50'000);

} // namespace
} // namespace pipit::protocol
