// SPDX-License-Identifier: Apache-2.0
// What an account's token may not say, whoever signed it.
#include <pipit/auth/jwt.hpp>

#include <pipit/auth/detail/claims_subjects.hpp>
#include <pipit/auth/detail/information_url.hpp>
#include <pipit/auth/detail/permission_problems.hpp>
#include <pipit/auth/detail/subject_set.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/subject.hpp>

#include <map>
#include <ranges>
#include <span>

namespace pipit::auth {
namespace {

using detail::has_wildcard;
using detail::problem_of_subject;
using protocol::quoted;

constexpr std::size_t information_bytes = 8 * 1024; ///< As nats-server.

std::string problem_of_information(const std::string& description, const std::string& url) {
    if (description.size() > information_bytes) return "Description is too long";
    if (url.size() > information_bytes) return "Info URL is too long";
    if (!url.empty() && !detail::is_information_url(url)) return "error parsing info url";
    return {};
}

std::string problem_of_latency(const jwt_export& one) {
    if (!one.latency_sampling) return {};
    if (!one.is_service) return "latency tracking only permitted for services";
    if (*one.latency_sampling < 0 || *one.latency_sampling > 100) {
        return "sampling percentage needs to be between 1-100";
    }
    auto problem = problem_of_subject(one.latency_subject);
    if (problem.empty() && has_wildcard(one.latency_subject)) {
        problem = "results subject can not contain wildcards";
    }
    return problem;
}

std::string problem_of_token_position(const jwt_export& one) {
    const auto position = one.account_token_position;
    if (position == 0) return {};
    const auto named = "Account Token Position " + std::to_string(position);
    if (!has_wildcard(one.subject)) {
        return "Account Token Position can only be used with wildcard subjects: " + one.subject;
    }
    if (position > protocol::token_count(one.subject)) {
        return named + " exceeds length of subject '" + one.subject + "'";
    }
    auto token = protocol::tokens(one.subject).begin();
    for (auto before = position - 1; before > 0; --before) ++token;
    if (*token == "*") return {};
    return named + " matches '" + std::string(*token) + "' but must match a * in: " + one.subject;
}

std::string problem_of_export(const jwt_export& one, const account_claims_limits& limits) {
    if (!one.has_type) return "an export is null or has no type";
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
    if (!one.is_service && one.allow_trace) return "AllowTrace only valid for service export";
    if (one.response_threshold < nanoseconds(0)) return "negative response threshold is invalid";
    if (!one.is_service && one.response_threshold > nanoseconds(0)) {
        return "response threshold only valid for services";
    }
    for (const auto check : {problem_of_latency, problem_of_token_position}) {
        problem = check(one);
        if (!problem.empty()) return problem;
    }
    return problem_of_information(one.description, one.info_url);
}

/// One that another of them holds, or that stands there twice; empty: there is none. Each is looked
/// for among those before it, and among those behind it.
std::string_view held_by_another(std::span<const std::string> patterns) {
    std::string_view held;
    const auto look = [&held](const auto& in_order) {
        detail::subject_set seen;
        for (const auto& pattern : in_order) {
            if (!protocol::is_valid_subject(pattern)) continue;
            if (seen.match(pattern, {}).plain) {
                held = pattern;
                return;
            }
            seen.insert(pattern, {});
        }
    };
    look(patterns);
    if (held.empty()) look(std::views::reverse(patterns));
    return held;
}

std::string problem_of_overlap(const std::vector<jwt_export>& exports) {
    std::vector<std::string> services, streams;
    for (const auto& one : exports) (one.is_service ? services : streams).push_back(one.subject);
    for (const auto* const subjects : {&services, &streams}) {
        const auto held = held_by_another(*subjects);
        if (!held.empty()) return "export subject " + quoted(held) + " is exported already";
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
    if (!token->issuer_account.empty() &&
        !is_public_key(token->issuer_account, nkey_prefix::account)) {
        return "account_id is not an account public key";
    }
    const auto& subject = import.is_service && !import.to.empty() ? import.to : import.subject;
    if (!protocol::is_subset(subject, token->import_subject)) {
        return "activation token import subject " + quoted(token->import_subject) +
               " doesn't match import " + named;
    }
    return {};
}

std::string problem_of_import(const jwt_import& one, const std::string& importer) {
    if (!one.has_type) return "an import is null or has no type";
    if (one.is_service && one.allow_trace) return "AllowTrace only valid for stream import";
    if (one.account.empty()) return "account to import from is not specified";
    auto problem = problem_of_subject(one.subject);
    if (problem.empty() && !one.local_subject.empty()) {
        problem = detail::problem_of_renaming(one.local_subject, one.subject);
        if (problem.empty() && !one.to.empty()) problem = "Local Subject replaces To";
    }
    if (problem.empty()) problem = detail::problem_of_length(one.to);
    if (!problem.empty()) return problem;
    if (one.share && !one.is_service) {
        return "sharing information (for latency tracking) is only valid for services: " +
               quoted(one.subject);
    }
    return one.token.empty() ? std::string() : problem_of_activation(one, importer);
}

/// What the account calls a service.
std::string local_pattern_of(const jwt_import& service) {
    if (!service.to.empty()) return service.to;
    if (service.local_subject.empty()) return service.subject;
    return detail::pattern_of_renaming(service.local_subject);
}

/// Services of one account are imported under names that do not hold one another.
std::string problem_of_namespaces(const std::vector<jwt_import>& imports) {
    std::map<std::string_view, std::vector<std::string>> by_account;
    for (const auto& one : imports) {
        if (one.is_service) by_account[one.account].push_back(local_pattern_of(one));
    }
    for (const auto& [account, patterns] : by_account) {
        const auto held = held_by_another(patterns);
        if (!held.empty()) {
            return "overlapping subject namespace for " + quoted(held) + " in account " +
                   quoted(account);
        }
    }
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
    for (const auto& allowed : account.callout_accounts) {
        if (allowed == "*" && account.callout_accounts.size() > 1) {
            return R"(AllowedAccounts can only be a list of accounts or "*")";
        }
        if (allowed != "*" && !is_public_key(allowed, nkey_prefix::account)) {
            return "Account " + quoted(allowed) + " is not a valid account public key";
        }
    }
    if (!account.callout_xkey.empty() && !is_public_key(account.callout_xkey, nkey_prefix::curve)) {
        return "XKey " + quoted(account.callout_xkey) + " is not a valid public xkey";
    }
    return {};
}

std::string problem_of_trace(const account_jwt& account) {
    if (!account.has_trace) return {};
    auto problem = problem_of_subject(account.trace_destination);
    if (!problem.empty()) return "the account Trace.Destination " + problem;
    if (has_wildcard(account.trace_destination)) {
        return "the account Trace.Destination subject " + quoted(account.trace_destination) +
               " is not a valid publish subject";
    }
    if (account.trace_sampling_percent < 0 || account.trace_sampling_percent > 100) {
        return "the account Trace.Sampling value '" +
               std::to_string(account.trace_sampling_percent) +
               "' is not valid, should be in the range [1..100]";
    }
    return {};
}

std::string problem_of_tiers_and_texts(const account_jwt& account) {
    if (account.limits.mixes_tiers) {
        return "JetStream Limits and tiered JetStream Limits are mutually exclusive";
    }
    if (account.limits.has_unnamed_tier) {
        return R"(Tiered JetStream Limits can not contain a blank "" tier name)";
    }
    const auto& traffic = account.cluster_traffic;
    if (!traffic.empty() && traffic != "system" && traffic != "owner") {
        return "unknown cluster traffic option: " + quoted(traffic);
    }
    return problem_of_information(account.description, account.info_url);
}

bool is_too_many(std::size_t count, std::int64_t limit) {
    return limit >= 0 && count > static_cast<std::uint64_t>(limit);
}

} // namespace

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
        auto problem = problem_of_import(one, account.subject);
        if (!problem.empty()) return problem;
    }
    for (auto problem :
         {problem_of_overlap(account.exports), problem_of_namespaces(account.imports)}) {
        if (!problem.empty()) return problem;
    }
    for (const auto check :
         {problem_of_mappings, problem_of_keys, problem_of_trace, problem_of_tiers_and_texts}) {
        auto problem = check(account);
        if (!problem.empty()) return problem;
    }
    return detail::problem_of_permissions(account.default_permissions);
}

} // namespace pipit::auth
