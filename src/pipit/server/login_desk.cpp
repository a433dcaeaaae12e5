// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nonce.hpp>
#include <pipit/server/login_desk.hpp>

#include <utility>

namespace pipit::server {
namespace {

using broker::login_answer;

login_answer answer_to(const broker::login_question& question,
                       const broker::signature_check& check) {
    if (check.signature.empty()) return login_answer::refusal("Signature missing");
    if (!auth::verify_nonce(check.nkey, check.nonce, check.signature)) {
        return login_answer::refusal("Signature not verified");
    }
    return {.accepted = true, .user = question.user};
}

} // namespace

void login_desk::ask(broker::login_question question, answer_function answer) {
    if (auto* password = std::get_if<broker::password_check>(&question.what)) {
        return passwords_.ask(question.address, std::move(*password),
                              [id = question.id, user = std::move(question.user),
                               answer = std::move(answer)](bool yes) {
                                  answer(id, {.accepted = yes, .user = user});
                              });
    }
    if (std::holds_alternative<broker::callout_check>(question.what)) {
        const auto id = question.id;
        if (!decide_) return answer(id, login_answer::refusal("nobody decides"));
        return decide_(std::move(question), [id, answer = std::move(answer)](login_answer found) {
            answer(id, std::move(found));
        });
    }
    {
        const std::lock_guard guard(lock_);
        const auto address = question.address;
        waiting_.push(address, {std::move(question), std::move(answer)});
    }
    signatures_.post([this] { answer_next(); });
}

void login_desk::judge_jwt(broker::login_question question,
                           std::function<void(broker::login_answer)> answer) {
    signatures_.post([this, question = std::move(question), answer = std::move(answer)] {
        if (!judge_) return answer(login_answer::refusal("no operator is trusted"));
        judge_(question, answer);
    });
}

void login_desk::answer_next() {
    std::unique_lock guard(lock_);
    auto next = waiting_.take();
    guard.unlock();
    if (!next) return;
    auto& [question, answer] = *next;
    if (const auto* signature = std::get_if<broker::signature_check>(&question.what)) {
        return answer(question.id, answer_to(question, *signature));
    }
    if (!judge_) return answer(question.id, login_answer::refusal("no operator is trusted"));
    const auto id = question.id;
    judge_(std::move(question),
           [id, answer = std::move(answer)](login_answer found) { answer(id, std::move(found)); });
}

} // namespace pipit::server
