// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/login_question.hpp>
#include <pipit/server/known_accounts.hpp>
#include <pipit/server/verified_users.hpp>

#include <functional>
#include <memory>
#include <string>

namespace pipit::server {

/// Decides who comes in with a JWT: what it says, and what its account says of it.
///
/// Threads: that of the accounts, but where it says otherwise.
class jwt_authority {
public:
    using answer_function = std::function<void(broker::login_answer)>;

    /// They outlive it.
    explicit jwt_authority(known_accounts& accounts);

    /// Answers at once, or when the account was fetched.
    void judge(broker::login_question question, answer_function answer);

private:
    [[nodiscard]] std::string problem_with_pins(const std::string& account) const;
    void judge_in(const known_account& account, const std::shared_ptr<verified_user>& known,
                  const broker::login_question& question, const answer_function& answer);
    [[nodiscard]] std::string find_rights(const known_account& account, verified_user& user) const;
    [[nodiscard]] static std::shared_ptr<const broker::callout_configuration>
    service_of(const known_account& account);

    known_accounts& accounts_;
    verified_users users_;
};

} // namespace pipit::server
