// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/permissions.hpp>

#include <benchmark/benchmark.h>

namespace {

using pipit::auth::permissions;

/// A user with `count` literal and as many wildcard entries in each list.
std::shared_ptr<const permissions> user_with(int count) {
    pipit::auth::permission_lists lists;
    for (int i = 0; i < count; ++i) {
        const auto number = std::to_string(i);
        lists.publish_allow.push_back("orders.region-" + number + ".new");
        lists.publish_allow.push_back("orders.region-" + number + ".*.done");
        lists.publish_deny.push_back("orders.region-" + number + ".secret");
        lists.publish_deny.push_back("*.region-" + number + ".audit.>");
    }
    lists.subscribe_deny = lists.publish_deny;
    return permissions::make(std::move(lists)).value();
}

void may_publish(benchmark::State& state) {
    const auto user = user_with(static_cast<int>(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(user->may_publish("orders.region-0.1234.done"));
    }
}
BENCHMARK(may_publish)->Arg(1)->Arg(10)->Arg(1000);

void denies_delivery(benchmark::State& state) {
    const auto user = user_with(static_cast<int>(state.range(0)));
    for (auto _ : state) {
        benchmark::DoNotOptimize(user->denies_delivery("orders.region-0.1234.done", "workers"));
    }
}
BENCHMARK(denies_delivery)->Arg(1)->Arg(10)->Arg(1000);

} // namespace
