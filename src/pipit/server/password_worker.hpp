// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/login_question.hpp>
#include <pipit/server/fair_queue.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace pipit::server {

/// Answers the loops' questions about passwords, each of which takes about 0.1 s of a core, on
/// one thread of low priority that is not there until the first question.
///
/// Fair: of the addresses that wait, each gets one answer in turn, so that whoever guesses
/// passwords from one address delays himself. Bounded by what brokers ask (`limits::open_logins`
/// each).
///
/// Threads: all.
class password_worker {
public:
    using answer_function = std::function<void(bool yes)>;

    password_worker() = default;
    /// Waits for the answer that is being found; the others are dropped.
    ~password_worker();
    password_worker(const password_worker&) = delete;
    password_worker& operator=(const password_worker&) = delete;

    /// Calls `answer` on the worker's thread. `address` is whoever asks.
    void ask(const std::string& address, broker::password_check question, answer_function answer);

private:
    struct waiting {
        broker::password_check question;
        answer_function answer;
    };

    void run();

    std::mutex lock_;
    std::condition_variable changed_;
    fair_queue<waiting> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace pipit::server
