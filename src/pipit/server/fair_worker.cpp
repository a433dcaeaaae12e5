// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/fair_worker.hpp>

#include <utility>

namespace pipit::server {

void fair_worker::post(const std::string& address, task_thread::task run) {
    {
        const std::lock_guard guard(lock_);
        waiting_.push(address, std::move(run));
    }
    thread_.post([this] { run_next(); });
}

void fair_worker::run_next() {
    std::unique_lock guard(lock_);
    const auto next = waiting_.take();
    guard.unlock();
    if (next) (*next)();
}

} // namespace pipit::server
