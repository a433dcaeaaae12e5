// SPDX-License-Identifier: Apache-2.0
// What a token may not say, whoever signed it.
#include <pipit/auth/jwt.hpp>

#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>

namespace pipit::auth {
namespace {

using protocol::quoted;

std::string problem_of_subject(std::string_view subject) {
    if (subject.empty()) return "subject cannot be empty";
    if (subject.find(' ') != std::string_view::npos) {
        return "subject " + quoted(subject) + " cannot have spaces";
    }
    if (subject.front() == '.' || subject.back() == '.') {
        return "subject " + quoted(subject) + " cannot start or end with a `.`";
    }
    if (subject.find("..") != std::string_view::npos) {
        return "subject " + quoted(subject) + " cannot contain consecutive `.`";
    }
    return {};
}

bool has_wildcard(std::string_view subject) {
    for (std::string_view rest = subject;;) {
        const auto token = rest.substr(0, rest.find('.'));
        if (token == "*" || (token == ">" && token.size() == rest.size())) return true;
        if (token.size() == rest.size()) return false;
        rest.remove_prefix(token.size() + 1);
    }
}

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

std::string problem_of_permissions(const permission_lists& lists) {
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

std::string problem_of_export(const jwt_export& one, const account_claims_limits& limits) {
    auto problem = problem_of_subject(one.subject);
    if (!problem.empty()) return problem;
    if (limits.exports >= 0 && !limits.wildcard_exports && has_wildcard(one.subject)) {
        return "the account contains wildcard exports that are not allowed by the operator";
    }
    const auto& type = one.response_type;
    const bool known = type.empty() || type == "Singleton" || type == "Stream" || type == "Chunked";
    if (one.is_service ? !known : !type.empty()) {
        return "invalid response type: " + quoted(type);
    }
    if (one.response_threshold < nanoseconds(0)) return "negative response threshold is invalid";
    return {};
}

std::string problem_of_mappings(const account_jwt& account) {
    for (const auto& [source, destinations] : account.mappings) {
        auto problem = problem_of_subject(source);
        if (!problem.empty()) return problem;
        std::map<std::string_view, int> totals;
        for (const auto& destination : destinations) {
            problem = problem_of_subject(destination.subject);
            if (!problem.empty()) return problem;
            if ((totals[destination.cluster] += destination.weight_percent) > 100) {
                return "Mapping " + quoted(source) +
                       " exceeds 100% among all of it's weighted to mappings";
            }
        }
    }
    return {};
}

std::string problem_of_keys(const account_jwt& account) {
    for (const auto& [key, scope] : account.signing_keys) {
        if (!is_public_key(key, nkey_prefix::account)) {
            return quoted(key) + " is not a valid account signing key";
        }
    }
    for (const auto& user : account.callout_users) {
        if (!is_public_key(user, nkey_prefix::user)) {
            return "AuthUser " + quoted(user) + " is not a valid user public key";
        }
    }
    if (!account.callout_accounts.empty() && account.callout_users.empty()) {
        return "External authorization cannot have accounts without users specified";
    }
    if (!account.callout_xkey.empty() && !is_public_key(account.callout_xkey, nkey_prefix::curve)) {
        return "XKey " + quoted(account.callout_xkey) + " is not a valid public xkey";
    }
    return {};
}

/// A token that cannot be for this import stands in the way of the whole account. Whether it has
/// expired, was revoked or is wanted at all shows when the import is made.
std::string problem_of_activation(const jwt_import& import, const std::string& importer) {
    const auto named = quoted(import.subject);
    const auto token = decode_activation_jwt(import.token);
    if (!token) return "import " + named + " contains an invalid activation token";
    if (token->issuer != import.account && token->issuer_account != import.account) {
        return "activation token doesn't match account for import " + named;
    }
    if (token->subject != importer) {
        return "activation token doesn't match account it is being included in, " + named;
    }
    if (token->is_service != import.is_service) {
        return "mismatch between token import type and type of import";
    }
    const auto& subject = import.is_service && !import.to.empty() ? import.to : import.subject;
    if (!protocol::is_subset(subject, token->import_subject)) {
        return "activation token import subject " + quoted(token->import_subject) +
               " doesn't match import " + named;
    }
    return {};
}

bool is_too_many(std::size_t count, std::int64_t limit) {
    return limit >= 0 && count > static_cast<std::uint64_t>(limit);
}

} // namespace

std::string problem_of(const user_jwt& user) {
    if (!is_public_key(user.subject, nkey_prefix::user)) return "its subject is no user";
    if (!user.issuer_account.empty() && !is_public_key(user.issuer_account, nkey_prefix::account)) {
        return "account_id is not an account public key";
    }
    return problem_of_permissions(user.rights.permissions);
}

std::string problem_of(const account_jwt& account) {
    if (!is_public_key(account.subject, nkey_prefix::account)) return "its subject is no account";
    if (is_too_many(account.imports.size(), account.limits.imports)) {
        return "the account contains more imports than allowed by the operator";
    }
    if (is_too_many(account.exports.size(), account.limits.exports)) {
        return "the account contains more exports than allowed by the operator";
    }
    for (const auto& one : account.exports) {
        auto problem = problem_of_export(one, account.limits);
        if (!problem.empty()) return problem;
    }
    for (const auto& one : account.imports) {
        if (one.account.empty()) return "account to import from is not specified";
        auto problem = problem_of_subject(one.subject);
        if (problem.empty() && !one.token.empty()) {
            problem = problem_of_activation(one, account.subject);
        }
        if (!problem.empty()) return problem;
    }
    for (const auto check : {problem_of_mappings, problem_of_keys}) {
        auto problem = check(account);
        if (!problem.empty()) return problem;
    }
    return problem_of_permissions(account.default_permissions);
}

} // namespace pipit::auth
