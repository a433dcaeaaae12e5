// SPDX-License-Identifier: Apache-2.0
// What a message costs in the broker alone: parsed, matched and written to chains, no socket.
#include <pipit/broker/broker.hpp>
#include <pipit/broker/detail/test_brokers.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace pipit;
using namespace std::chrono_literals;

/// One publisher and `subscribers` sessions whose sockets take everything.
class bench_loop {
public:
    explicit bench_loop(int subscribers)
        : mesh_(1), broker_(0, 1, broker::open_configuration(), mesh_, counters_, logger_) {
        publisher_ = &connect();
        for (int i = 0; i < subscribers; ++i) receive(connect(), "SUB load.subject 1\r\n");
    }
    void publish(bytes_view batch) { receive(*publisher_, batch); }
    /// The first connection asks for more.
    void subscribe(bytes_view batch) { receive(*publisher_, batch); }

private:
    broker::session& connect() {
        auto& made = broker_.open({.ip = "127.0.0.1", .port = 1}, nullptr, now_);
        receive(made, "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\n");
        return made;
    }
    void receive(broker::session& from, bytes_view bytes) {
        while (!bytes.empty()) {
            bytes.remove_prefix(*broker_.receive(from, 0, bytes, now_));
            broker_.end_batch(now_);
            while (auto* touched = broker_.next_touched()) {
                std::array<bytes_view, 64> pieces;
                while (broker_.has_output(*touched)) {
                    std::size_t size = 0;
                    const auto count = broker_.gather(*touched, pieces);
                    for (std::size_t i = 0; i < count; ++i) size += pieces[i].size();
                    broker_.sent(*touched, size, now_);
                }
            }
        }
    }

    moment now_{steady_time(1h), wall_time(1h)};
    logger logger_;
    broker::mesh mesh_;
    broker::shared_counters counters_;
    broker::broker broker_;
    broker::session* publisher_;
};

/// Subscribers, payload bytes.
void publish_one_subject(benchmark::State& state) {
    bench_loop loop(static_cast<int>(state.range(0)));
    const auto size = static_cast<std::size_t>(state.range(1));
    const auto message =
        "PUB load.subject " + std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
    std::string batch;
    std::int64_t count = 0;
    for (; batch.size() < 64 * 1024; ++count) batch += message;
    for (auto _ : state) loop.publish(batch);
    state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(publish_one_subject)
    ->ArgNames({"subscribers", "bytes"})
    ->Args({0, 16})
    ->Args({0, 128})
    ->Args({1, 16})
    ->Args({1, 128})
    ->Args({8, 128})
    ->Args({64, 128})
    ->Args({1, 1024})
    ->Args({1, 8192});

/// So many literal subscriptions on one connection, none of which is there before.
void subscribe(benchmark::State& state) {
    const auto count = state.range(0);
    std::vector<std::string> batches(1);
    for (std::int64_t i = 1; i <= count; ++i) {
        if (batches.back().size() > 64 * 1024) batches.emplace_back();
        const auto number = std::to_string(i);
        batches.back() += "SUB load.s." + std::to_string(i % 997) + '.';
        batches.back() += number + ' ' + number + "\r\n";
    }
    for (auto _ : state) {
        state.PauseTiming();
        auto loop = std::make_unique<bench_loop>(0);
        state.ResumeTiming();
        for (const auto& batch : batches) loop->subscribe(batch);
        state.PauseTiming();
        loop.reset();
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(subscribe)->ArgNames({"subscriptions"})->Arg(1000)->Arg(500000);

} // namespace
