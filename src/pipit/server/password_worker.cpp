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

void password_worker::ask(broker::password_question question, answer_function answer) {
    const std::lock_guard guard(lock_);
    auto& queue = by_address_[question.address];
    queue.push_back({std::move(question), std::move(answer)});
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    changed_.notify_one();
}

void password_worker::run() {
    ::pthread_setname_np(::pthread_self(), "passwords");
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
    std::unique_lock guard(lock_);
    for (;;) {
        changed_.wait(guard, [&] { return stopping_ || !by_address_.empty(); });
        if (stopping_) return;
        const auto next = take_next();
        guard.unlock();
        next.answer(next.question.id,
                    auth::verify_password(next.question.stored, next.question.given));
        guard.lock();
    }
}

/// The oldest question of the address after the one that had its turn.
password_worker::waiting password_worker::take_next() {
    auto turn = by_address_.upper_bound(last_address_);
    if (turn == by_address_.end()) turn = by_address_.begin();
    last_address_ = turn->first;
    auto next = std::move(turn->second.front());
    turn->second.pop_front();
    if (turn->second.empty()) by_address_.erase(turn);
    return next;
}

} // namespace pipit::server
