// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/forks.hpp>

#include <atomic>
#include <pthread.h>

namespace pipit::net {
namespace {

std::atomic<std::uint32_t> forks = 0;

extern "C" void count_fork() { forks.fetch_add(1, std::memory_order_relaxed); }

} // namespace

std::uint32_t fork_count() noexcept {
    // Without memory for it there is nothing to be done, and nothing is worse than before.
    [[maybe_unused]] static const int failed = ::pthread_atfork(nullptr, nullptr, &count_fork);
    return forks.load(std::memory_order_relaxed);
}

} // namespace pipit::net
