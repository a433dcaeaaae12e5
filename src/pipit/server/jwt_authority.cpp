// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/jwt_authority.hpp>

#include <pipit/auth/nonce.hpp>
#include <pipit/auth/user_template.hpp>
#include <pipit/base/identity_limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/callout_answer.hpp>
#include <pipit/server/jwt_user.hpp>

#include <algorithm>
#include <utility>

namespace pipit::server {

using broker::login_answer;

namespace {

const broker::jwt_check& check_of(const broker::login_question& question) {
    return std::get<broker::jwt_check>(question.what);
}

bool lacks_proxy(const auth::user_rights& rights, const broker::jwt_check& check) {
    return rights.proxy_required && !check.by_trusted_proxy;
}

login_answer without_proxy() {
    auto refusal = login_answer::refusal("proxy connection required");
    refusal.reason = broker::close_reason::proxy_required;
    return refusal;
}

} // namespace

jwt_authority::jwt_authority(known_accounts& accounts)
    : accounts_(accounts), users_(limits::verified_jwts, limits::verified_jwt_bytes) {}

void jwt_authority::judge(broker::login_question question, answer_function answer) {
    const auto refuse = [&](std::string why) { answer(login_answer::refusal(std::move(why))); };
    auto token = check_of(question).jwt;
    auto known = users_.find(token);
    if (known == nullptr) {
        auto claims = auth::decode_user_jwt(token);
        const auto& sentinel = accounts_.trust().default_sentinel;
        if (!claims && !sentinel.empty()) {
            token = sentinel;
            claims = auth::decode_user_jwt(token);
        }
        if (!claims) {
            if (token.empty()) return refuse("Authentication requires a user JWT");
            return refuse("User JWT not valid: " + std::string(claims.error().detail()));
        }
        if (lacks_proxy(claims->rights, check_of(question))) return answer(without_proxy());
        auto problem = auth::problem_of(*claims);
        if (problem.empty()) problem = problem_of_entry(claims->rights);
        if (!problem.empty()) return refuse("User JWT no longer valid: " + problem);
        known = std::make_shared<verified_user>();
        known->token = std::move(token);
        known->claims = std::move(*claims);
    }
    if (lacks_proxy(known->claims.rights, check_of(question))) return answer(without_proxy());
    if (const auto problem = problem_of_time(known->claims, net::wall_now()); !problem.empty()) {
        return refuse("User JWT no longer valid: " + problem);
    }
    const auto& account = known->claims.account();
    if (auto problem = problem_with_pins(account); !problem.empty()) return refuse(problem);
    if (const auto* const found = accounts_.current(account)) {
        return judge_in(*found, known, question, answer);
    }
    const party from(question.address);
    accounts_.fetch(account, from,
                    [this, account, known, question = std::move(question),
                     answer = std::move(answer)](const std::string& why_not) {
                        // A reload may have pinned others meanwhile.
                        const auto problem = why_not.empty()
                                                 ? problem_with_pins(account)
                                                 : "Account JWT lookup error: " + why_not;
                        if (!problem.empty()) return answer(login_answer::refusal(problem));
                        judge_in(*accounts_.find(account), known, question, answer);
                    });
}

/// Where some accounts are pinned, nobody of others comes in. Empty: nothing speaks against it.
std::string jwt_authority::problem_with_pins(const std::string& account) const {
    const auto& pinned = accounts_.trust().pinned_accounts;
    if (pinned.empty() || pinned.contains(account)) return {};
    accounts_.count_refused_unpinned();
    return "Account " + account + " not listed as operator pinned account";
}

/// The account is known, and as it was last heard of.
void jwt_authority::judge_in(const known_account& account,
                             const std::shared_ptr<verified_user>& known,
                             const broker::login_question& question,
                             const answer_function& answer) {
    const auto refuse = [&](std::string why, log_level level = log_level::debug) {
        auto refusal = login_answer::refusal(std::move(why));
        refusal.level = level;
        answer(std::move(refusal));
    };
    auto& user = *known;
    const auto now = net::wall_now();
    if (user.account_version != account.version) {
        if (auto problem = find_rights(account, user); !problem.empty()) return refuse(problem);
        // One that a service made is for this login only.
        if (!check_of(question).vouched_for) users_.add(known);
    }
    if (account.is_over(now)) return refuse("Account JWT has expired");
    // Its signing key may say so.
    if (lacks_proxy(user.rights, check_of(question))) return answer(without_proxy());
    if (user.rights.bearer_token && account.claims->limits.disallow_bearer) {
        return refuse("Account does not allow bearer tokens");
    }
    const auto& check = check_of(question);
    auto entry = may_enter(user.rights, question.address, check, now);
    using fault = entry_decision::fault;
    if (entry.what == fault::connection_type) return refuse(entry.why_not);
    if (!user.rights.bearer_token && !check.vouched_for) {
        if (check.signature.empty()) return refuse("Signature missing");
        if (!auth::verify_nonce(user.claims.subject, check.nonce, check.signature)) {
            return refuse("Signature not verified");
        }
    }
    if (account.claims->revokes(user.claims.subject, user.claims.issued_at)) {
        return refuse("User authentication revoked");
    }
    if (entry.what != fault::none) return refuse(entry.why_not, log_level::error);

    auto who = user.user;
    if (entry.until && (!who->expires || *entry.until < *who->expires)) {
        auto for_now = std::make_shared<broker::user_configuration>(*who);
        for_now->expires = entry.until;
        who = std::move(for_now);
    }
    const auto& decided_by_users = account.claims->callout_users;
    const bool delegated =
        !check.vouched_for && !decided_by_users.empty() &&
        std::ranges::find(decided_by_users, user.claims.subject) == decided_by_users.end();
    if (!check.vouched_for && !decided_by_users.empty() && !delegated) {
        auto service = std::make_shared<broker::user_configuration>(*who);
        keep_from_asking(*service);
        who = std::move(service);
    }
    answer({.accepted = true,
            .user = std::move(who),
            .service = delegated ? service_of(account) : nullptr});
}

/// Who decides about the users of an account that delegates that.
std::shared_ptr<const broker::callout_configuration>
jwt_authority::service_of(const known_account& account) {
    const auto& claims = *account.claims;
    auto service = std::make_shared<broker::callout_configuration>();
    service->account = account.config->id;
    service->account_name = service->issuer = claims.subject;
    for (const auto& [key, scope] : claims.signing_keys) service->signing_keys.insert(key);
    service->allowed_accounts.insert(claims.callout_accounts.begin(),
                                     claims.callout_accounts.end());
    service->xkey = claims.callout_xkey;
    service->by_jwt = true;
    return service;
}

/// What the user may do under the account as it is now. Returns what speaks against it.
std::string jwt_authority::find_rights(const known_account& account, verified_user& user) const {
    const auto& claims = *account.claims;
    user.account_version = 0;
    const auto signer = claims.signing_keys.find(user.claims.issuer);
    const bool signs_itself = user.claims.issuer == claims.subject &&
                              !accounts_.trust().strict_keys.contains(claims.issuer);
    if (signer == claims.signing_keys.end() && !signs_itself) {
        return "User JWT issuer is not known";
    }
    user.rights = user.claims.rights;
    if (signer != claims.signing_keys.end() && signer->second) {
        if (user.claims.rights != auth::user_rights{}) {
            return "User JWT is not valid: scoped users require no permissions or limits set";
        }
        auto filled = auth::fill_template(*signer->second, user.claims, claims);
        if (!filled) return "User JWT generated invalid permissions";
        user.rights = std::move(*filled);
    }
    auto made = user_of(user.claims, user.rights, claims, account.config->id, user.token);
    if (!made) return "User JWT generated invalid permissions";
    user.user = std::move(*made);
    user.account_version = account.version;
    return {};
}

} // namespace pipit::server
