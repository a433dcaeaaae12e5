// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/nonce.hpp>
#include <pipit/auth/password.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/authenticator.hpp>

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

login_answer answer_to(const broker::proxy_check& check) {
    auto signer = auth::signer_of(*check.trusted, check.nonce, check.signature);
    if (!signer) return login_answer::refusal("Proxy " + std::string(signer.error().detail()));
    login_answer found{.accepted = true};
    found.proxy_key = std::move(*signer);
    return found;
}

} // namespace

void authenticator::ask(broker::login_question question, answer_function answer) {
    const auto id = question.id;
    const party from(question.address);
    if (auto* const check = std::get_if<broker::password_check>(&question.what)) {
        return passwords_.post(
            from, [id, check = std::move(*check), user = std::move(question.user),
                   give_up_at = question.give_up_at, answer = std::move(answer)] {
                if (give_up_at < net::steady_now()) return answer(id, {});
                answer(id, {.accepted = auth::verify_password(check.stored, check.given),
                            .user = user});
            });
    }
    auto answer_it = [id, answer = std::move(answer)](login_answer found) {
        answer(id, std::move(found));
    };
    if (std::holds_alternative<broker::callout_check>(question.what)) {
        if (!decide_) return answer_it(login_answer::refusal("nobody decides"));
        return decide_(std::move(question), std::move(answer_it));
    }
    signatures_.post(
        from, [this, question = std::move(question), answer_it = std::move(answer_it)]() mutable {
            if (question.give_up_at < net::steady_now()) return answer_it({});
            const auto* const check = std::get_if<broker::signature_check>(&question.what);
            if (check != nullptr) return answer_it(answer_to(question, *check));
            const auto* const proxy = std::get_if<broker::proxy_check>(&question.what);
            if (proxy != nullptr) return answer_it(answer_to(*proxy));
            judge(std::move(question), std::move(answer_it));
        });
}

void authenticator::judge(broker::login_question question,
                          std::function<void(broker::login_answer)> answer) {
    if (!judge_) return answer(login_answer::refusal("no operator is trusted"));
    judge_(std::move(question), std::move(answer));
}

void authenticator::judge_jwt(broker::login_question question,
                              std::function<void(broker::login_answer)> answer) {
    signatures_.thread().post([this, question = std::move(question), answer = std::move(answer)] {
        judge(question, answer);
    });
}

} // namespace pipit::server
