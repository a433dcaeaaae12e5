// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/server/fair_queue.hpp>
#include <pipit/server/task_thread.hpp>

#include <mutex>
#include <string>

namespace pipit::server {

/// A thread that does one task at a time for those who wait. Of their addresses each has its turn,
/// so that whoever asks very often from one address delays himself. Bounded by whoever fills it.
///
/// Threads: all.
class fair_worker {
public:
    /// As of `task_thread`.
    explicit fair_worker(const char* name, int niceness = 0) : thread_(name, niceness) {}
    fair_worker(const fair_worker&) = delete;
    fair_worker& operator=(const fair_worker&) = delete;

    void post(const std::string& address, task_thread::task run);
    /// For what is in nobody's turn.
    [[nodiscard]] task_thread& thread() noexcept { return thread_; }

private:
    void run_next();

    std::mutex lock_;
    fair_queue<task_thread::task> waiting_;
    task_thread thread_; ///< Ends first.
};

} // namespace pipit::server
