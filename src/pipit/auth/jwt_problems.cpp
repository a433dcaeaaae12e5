// SPDX-License-Identifier: Apache-2.0
// What a user's token may not say, whoever signed it.
#include <pipit/auth/jwt.hpp>

#include <pipit/auth/detail/claims_subjects.hpp>
#include <pipit/auth/detail/permission_problems.hpp>
#include <pipit/protocol/go_text.hpp>

namespace pipit::auth {
namespace {

using detail::problem_of_subject;
using protocol::quoted;

/// A subject, or for subscriptions a subject, a blank and a queue.
std::string problem_of_entry(std::string_view entry, bool may_have_queue) {
    const auto blank = entry.find(' ');
    auto problem = problem_of_subject(entry.substr(0, blank));
    if (!problem.empty() || blank == std::string_view::npos) return problem;
    const auto queue = entry.substr(blank + 1);
    if (queue.find(' ') != std::string_view::npos) {
        return "Permission Subject " + quoted(entry) + " contains too many spaces";
    }
    if (!may_have_queue) {
        return "Permission Subject " + quoted(entry) + " is not allowed to contain queue";
    }
    return problem_of_subject(queue);
}

} // namespace

std::string detail::problem_of_permissions(const permission_lists& lists) {
    struct list {
        const std::vector<std::string>* entries;
        bool may_have_queue;
    };
    for (const auto& [entries, may_have_queue] :
         {list{&lists.subscribe_allow, true}, list{&lists.subscribe_deny, true},
          list{&lists.publish_allow, false}, list{&lists.publish_deny, false}}) {
        for (const auto& entry : *entries) {
            auto problem = problem_of_entry(entry, may_have_queue);
            if (!problem.empty()) return problem;
        }
    }
    return {};
}

std::string problem_of(const user_jwt& user) {
    if (!is_public_key(user.subject, nkey_prefix::user)) return "its subject is no user";
    if (!user.issuer_account.empty() && !is_public_key(user.issuer_account, nkey_prefix::account)) {
        return "account_id is not an account public key";
    }
    return detail::problem_of_permissions(user.rights.permissions);
}

} // namespace pipit::auth
