// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/fair_worker.hpp>

#include <utility>

namespace pipit::server {

void fair_worker::post(const std::string& address, task_thread::task run) {
    {
        const std::lock_guard guard(lock_);
        waiting_[address].push_back(std::move(run));
    }
    thread_.post([this] { run_next(); });
}

/// The oldest task of the address after the one that had its turn.
void fair_worker::run_next() {
    std::unique_lock guard(lock_);
    if (waiting_.empty()) return;
    auto turn = waiting_.upper_bound(last_address_);
    if (turn == waiting_.end()) turn = waiting_.begin();
    last_address_ = turn->first;
    const auto next = std::move(turn->second.front());
    turn->second.pop_front();
    if (turn->second.empty()) waiting_.erase(turn);
    guard.unlock();
    next();
}

} // namespace pipit::server
