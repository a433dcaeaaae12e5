// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/forks.hpp>

#include <pthread.h>

namespace pipit::net {

process_mark::process_mark() noexcept {
    const auto count = [] { forks.fetch_add(1, std::memory_order_relaxed); };
    // Without memory for it there is nothing to be done, and nothing is worse than before.
    [[maybe_unused]] static const int failed = ::pthread_atfork(nullptr, nullptr, count);
    made_after_ = forks.load(std::memory_order_relaxed);
}

} // namespace pipit::net
