// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/clock.hpp>
#include <pipit/server/task_thread.hpp>

#include <pthread.h>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pipit::server {

task_thread::~task_thread() { stop(); }

void task_thread::stop() {
    {
        const std::lock_guard guard(lock_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void task_thread::post(task run) {
    std::unique_lock guard(lock_);
    if (stopping_) return;
    tasks_.push_back(std::move(run));
    add(guard);
}

void task_thread::post_at(steady_time at, task run) {
    std::unique_lock guard(lock_);
    if (stopping_) return;
    later_.emplace(at, std::move(run));
    add(guard);
}

void task_thread::add(std::unique_lock<std::mutex>& guard) {
    if (!thread_.joinable()) {
        try {
            thread_ = std::thread([this] { run(); });
        } catch (const std::system_error&) {
            return; // There are no more threads to be had: the next task tries it again.
        }
    }
    guard.unlock();
    changed_.notify_one();
}

void task_thread::run() {
    ::pthread_setname_np(::pthread_self(), name_);
    if (niceness_ != 0) ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness_);
    std::unique_lock guard(lock_);
    while (!stopping_) {
        if (!later_.empty() && later_.begin()->first <= net::steady_now()) {
            tasks_.push_back(std::move(later_.begin()->second));
            later_.erase(later_.begin());
        }
        if (!tasks_.empty()) {
            auto next = std::move(tasks_.front());
            tasks_.pop_front();
            guard.unlock();
            next();
            next = nullptr; // What it holds goes without the lock.
            guard.lock();
        } else if (!later_.empty()) {
            changed_.wait_until(guard, later_.begin()->first);
        } else {
            changed_.wait(guard);
        }
    }
}

} // namespace pipit::server
