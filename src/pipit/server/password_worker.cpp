// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/password.hpp>
#include <pipit/server/password_worker.hpp>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

namespace pipit::server {
namespace {

/// Delivering messages comes before letting somebody in.
constexpr int niceness = 5;

} // namespace

password_worker::~password_worker() {
    {
        const std::lock_guard guard(lock_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void password_worker::ask(const std::string& address, broker::password_check question,
                          answer_function answer) {
    const std::lock_guard guard(lock_);
    waiting_.push(address, {std::move(question), std::move(answer)});
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    changed_.notify_one();
}

void password_worker::run() {
    ::pthread_setname_np(::pthread_self(), "passwords");
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
    std::unique_lock guard(lock_);
    for (;;) {
        changed_.wait(guard, [&] { return stopping_ || !waiting_.empty(); });
        if (stopping_) return;
        const auto next = waiting_.take();
        guard.unlock();
        next->answer(auth::verify_password(next->question.stored, next->question.given));
        guard.lock();
    }
}

} // namespace pipit::server
