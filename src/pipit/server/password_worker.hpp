// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/broker.hpp>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace pipit::server {

/// Answers the loops' questions about passwords, each of which takes about 0.1 s of a core, on
/// one thread of low priority that is not there until the first question.
///
/// Fair: of the addresses that wait, each gets one answer in turn, so that whoever guesses
/// passwords from one address delays himself. Bounded by what brokers ask (`limits::open_questions`
/// each).
///
/// Threads: all.
class password_worker {
public:
    using answer_function = std::function<void(std::uint64_t question_id, bool yes)>;

    password_worker() = default;
    /// Waits for the answer that is being found; the others are dropped.
    ~password_worker();
    password_worker(const password_worker&) = delete;
    password_worker& operator=(const password_worker&) = delete;

    /// Calls `answer` on the worker's thread.
    void ask(broker::password_question question, answer_function answer);

private:
    struct waiting {
        broker::password_question question;
        answer_function answer;
    };

    void run();
    [[nodiscard]] waiting take_next();

    std::mutex lock_;
    std::condition_variable changed_;
    std::map<std::string, std::deque<waiting>> by_address_;
    std::string last_address_;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace pipit::server
