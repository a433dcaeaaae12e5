// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/server/fair_queue.hpp>
#include <pipit/server/task_thread.hpp>

#include <mutex>
#include <utility>

namespace pipit::server {

/// A thread that does one task at a time for those who wait, of whom each has its turn, as in a
/// `fair_queue`. Bounded by whoever fills it.
///
/// Threads: all.
template <class Who>
class fair_worker {
public:
    /// As of `task_thread`.
    explicit fair_worker(const char* name, int niceness = 0) : thread_(name, niceness) {}
    fair_worker(const fair_worker&) = delete;
    fair_worker& operator=(const fair_worker&) = delete;

    void post(const Who& of, task_thread::task run) {
        {
            const std::lock_guard guard(lock_);
            waiting_.push(of, std::move(run));
        }
        thread_.post([this] { run_next(); });
    }
    /// For what is in nobody's turn.
    [[nodiscard]] task_thread& thread() noexcept { return thread_; }

private:
    void run_next() {
        std::unique_lock guard(lock_);
        const auto next = waiting_.take();
        guard.unlock();
        if (next) (*next)();
    }

    std::mutex lock_;
    fair_queue<Who, task_thread::task> waiting_;
    task_thread thread_; ///< Ends first.
};

} // namespace pipit::server
