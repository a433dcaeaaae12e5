// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/party.hpp>
#include <pipit/broker/login_question.hpp>
#include <pipit/server/fair_worker.hpp>

#include <cstdint>
#include <functional>

namespace pipit::server {

/// Answers the loops' questions about who somebody is, so that no loop computes or waits: passwords
/// on one thread (0.1 s each), signatures and JWTs on another (0.1 ms each). Of the parties that
/// wait, each has its turn. Bounded by what brokers ask (`limits::open_logins` each).
///
/// Threads: all, but for `judge_jwts_by`.
class authenticator {
public:
    using answer_function =
        std::function<void(std::uint64_t question_id, broker::login_answer answer)>;
    /// Answers at once or later, on any thread.
    using jwt_judge = std::function<void(broker::login_question question,
                                         std::function<void(broker::login_answer)> answer)>;

    authenticator() = default;
    authenticator(const authenticator&) = delete;
    authenticator& operator=(const authenticator&) = delete;

    /// Calls `answer` on another thread, or drops it when this ends.
    void ask(broker::login_question question, answer_function answer);

    /// Before the first question about a JWT; called on a thread of this.
    void judge_jwts_by(jwt_judge judge) { judge_ = std::move(judge); }
    /// Before the first question that a service has to decide; called on the asker's thread, must
    /// not block.
    void decide_by(jwt_judge decide) { decide_ = std::move(decide); }
    /// Asks for a judgement as if somebody had logged in with that JWT.
    void judge_jwt(broker::login_question question,
                   std::function<void(broker::login_answer)> answer);
    /// For what has to happen between two questions.
    [[nodiscard]] task_thread& thread() noexcept { return signatures_.thread(); }

private:
    /// Delivering messages comes before letting somebody in who needs so much of a core.
    static constexpr int passwords_niceness = 5;

    void judge(broker::login_question question, std::function<void(broker::login_answer)> answer);

    jwt_judge judge_;
    jwt_judge decide_;
    fair_worker<party> passwords_{"passwords", passwords_niceness};
    fair_worker<party> signatures_{"signatures"};
};

} // namespace pipit::server
