// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace pipit::server {

/// Runs tasks one after the other on a thread of its own, which is not there until the first task.
///
/// Threads: all. A task may post others.
class task_thread {
public:
    using task = std::function<void()>;

    /// `name` is what the system shows of the thread: at most 15 characters. `niceness` above 0
    /// lets other threads go first.
    explicit task_thread(const char* name, int niceness = 0) : name_(name), niceness_(niceness) {}
    ~task_thread();
    task_thread(const task_thread&) = delete;
    task_thread& operator=(const task_thread&) = delete;

    void post(task run);
    /// The same, not before `at`.
    void post_at(steady_time at, task run);
    /// Waits for the task that runs; the others are dropped, and so are those that still come.
    void stop();

private:
    void add(std::unique_lock<std::mutex>& guard);
    void run();

    const char* name_;
    int niceness_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<task> tasks_;
    std::multimap<steady_time, task> later_;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace pipit::server
