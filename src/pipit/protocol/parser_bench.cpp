// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/parser.hpp>

#include <benchmark/benchmark.h>

#include <string>

namespace pipit::protocol {
namespace {

/// Counts, and touches what a broker touches at least.
struct counting_visitor {
    std::uint64_t operations = 0;
    std::uint64_t bytes = 0;

    flow on_message(const message_operation& message) {
        ++operations;
        bytes += message.payload.size() + message.subject.size();
        return flow::proceed;
    }
    flow on_subscribe(const subscribe_operation&) { return count(); }
    flow on_unsubscribe(const unsubscribe_operation&) { return count(); }
    flow on_connect(bytes_view) { return count(); }
    flow on_info(bytes_view) { return count(); }
    flow on_ping() { return count(); }
    flow on_pong() { return count(); }
    flow on_ok() { return count(); }
    flow on_error(bytes_view) { return count(); }

    flow count() {
        ++operations;
        return flow::proceed;
    }
};

/// As much as a loop reads at once: one operation again and again.
std::string one_read_of(const std::string& operation) {
    std::string wire;
    while (wire.size() < limits::read_scratch_bytes) wire += operation;
    return wire;
}

template <role Role>
void parse(benchmark::State& state, const std::string& operation) {
    const auto wire = one_read_of(operation);
    parser<Role> reader;
    counting_visitor visitor;
    const parser_limits limits;
    for (auto unused : state) {
        const auto outcome = reader.parse(wire, limits, visitor);
        benchmark::DoNotOptimize(outcome);
    }
    benchmark::DoNotOptimize(visitor);
    state.SetItemsProcessed(static_cast<std::int64_t>(visitor.operations));
    state.SetBytesProcessed(static_cast<std::int64_t>(wire.size() * state.iterations()));
}

std::string publish(std::size_t size) {
    return "PUB orders.new " + std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
}
std::string delivery(std::size_t size) {
    return "MSG orders.new 17 " + std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
}

void pub(benchmark::State& state) {
    parse<role::server>(state, publish(static_cast<std::size_t>(state.range(0))));
}
void msg(benchmark::State& state) {
    parse<role::client>(state, delivery(static_cast<std::size_t>(state.range(0))));
}
void pub_with_empty_reply(benchmark::State& state) {
    parse<role::server>(state, "PUB orders.new  16\r\n0123456789abcdef\r\n");
}
void request(benchmark::State& state) {
    parse<role::server>(state, "PUB orders.new _INBOX.0123456789abcdefghijkl.4242 16\r\n"
                               "0123456789abcdef\r\n");
}
void hpub(benchmark::State& state) {
    parse<role::server>(state, "HPUB orders.new 25 41\r\nNATS/1.0\r\nName: value\r\n\r\n"
                               "0123456789abcdef\r\n");
}
void pub_in_lower_case(benchmark::State& state) {
    parse<role::server>(state, "pub orders.new 16\r\n0123456789abcdef\r\n");
}
void sub(benchmark::State& state) { parse<role::server>(state, "SUB orders.new 17\r\n"); }
void ping(benchmark::State& state) { parse<role::server>(state, "PING\r\n"); }

BENCHMARK(pub)->Arg(16)->Arg(128)->Arg(1024);
BENCHMARK(msg)->Arg(16)->Arg(128)->Arg(1024);
BENCHMARK(pub_with_empty_reply);
BENCHMARK(request);
BENCHMARK(hpub);
BENCHMARK(pub_in_lower_case);
BENCHMARK(sub);
BENCHMARK(ping);

} // namespace
} // namespace pipit::protocol
