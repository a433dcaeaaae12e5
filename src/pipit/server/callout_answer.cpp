// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/callout_answer.hpp>

#include <pipit/auth/authorization_jwt.hpp>
#include <pipit/auth/xkey.hpp>
#include <pipit/base/identity_limits.hpp>
#include <pipit/base/unix_time.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/jwt_user.hpp>
#include <pipit/server/server_identity.hpp>

#include <algorithm>
#include <utility>

namespace pipit::server {
namespace {

using broker::callout_check;
using protocol::quoted;

/// Nobody stays for longer; and it can be added to a time.
constexpr std::int64_t valid_seconds_max = 5'000'000'000;

/// What nobody who may decide has said.
error invalid(std::string why) { return {errc::invalid_request, std::move(why)}; }
error without_proxy() { return {errc::proxy_required, "proxy connection required"}; }
error refused(std::string why) { return {errc::login_refused, std::move(why)}; }

/// Negative: never, as if it were not said.
nanoseconds refresh_after(std::int64_t seconds) {
    constexpr auto most = std::chrono::seconds(limits::refresh_interval_max);
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, most.count()));
}

/// An answer that was sealed for the server, or came as it is.
struct opened_answer {
    std::string text;
    bool was_sealed = false;
};

result<opened_answer> opened(const callout_question& question, std::string_view body) {
    const auto& service = *question.check.service;
    if (body.empty()) {
        return invalid("auth callout violation: \"no reason supplied\" on account " +
                       quoted(service.account_name));
    }
    if (service.xkey.empty() || body.starts_with("eyJ")) {
        return opened_answer{std::string(body)};
    }
    const auto peer = auth::decode_public_nkey(service.xkey);
    auto message =
        peer ? auth::open(*question.keys.curve, *peer, body) : result<std::string>(peer.error());
    if (message) return opened_answer{std::move(*message), true};
    return invalid("error decrypting auth callout response on account " +
                   quoted(service.account_name) + ": " + message.error().message());
}

bool is_key_of(const broker::callout_configuration& service, const std::string& key) {
    return key == service.issuer || service.signing_keys.contains(key);
}

/// What a service says when it lets somebody in.
result<auth::authorization_response_jwt> response_in(const callout_question& question,
                                                     std::string_view body) {
    const auto& service = *question.check.service;
    const auto text = opened(question, body);
    if (!text) return text.error();
    auto response = auth::decode_authorization_response_jwt(text->text);
    if (!response) return invalid(response.error().message());
    auto problem = auth::problem_of(*response);
    if (problem.empty()) problem = problem_of_time(*response, question.now);
    if (!problem.empty()) {
        return invalid("authorization response had validation errors: " + problem);
    }
    if (response->subject != question.user_nkey) {
        return invalid("auth callout violation: auth callout response is not for expected user");
    }
    if (response->audience != question.configuration.identity.id) {
        return invalid("auth callout violation: auth callout response is not for server");
    }
    // What was sealed for the server came from who has the service's xkey.
    if (!response->problem.empty()) {
        auto why = "auth callout service returned an error: " + response->problem;
        const bool is_its_own = text->was_sealed || is_key_of(service, response->issuer);
        return is_its_own ? refused(std::move(why)) : invalid(std::move(why));
    }
    const auto& issuer =
        response->issuer_account.empty() ? response->issuer : response->issuer_account;
    if (!text->was_sealed && !is_key_of(service, issuer)) {
        return invalid("auth callout signing key is unknown");
    }
    return response;
}

/// By what the configuration says, or by what the service does.
bool lacks_proxy(const callout_check& check, const auth::user_rights& rights) {
    return (check.lacks_proxy || rights.proxy_required) && !check.by_trusted_proxy;
}

/// Decoded, still valid, and about whom was asked.
result<auth::user_jwt> checked_user(const callout_question& question, const std::string& token) {
    auto user = auth::decode_user_jwt(token);
    if (!user) return invalid(user.error().message());
    if (lacks_proxy(question.check, user->rights)) return without_proxy();
    auto problem = auth::problem_of(*user);
    if (problem.empty()) problem = problem_of_entry(user->rights);
    if (problem.empty()) problem = problem_of_time(*user, question.now);
    if (!problem.empty()) return invalid("Error validating user JWT: " + problem);
    if (user->subject != question.user_nkey) {
        return invalid("Expected authorized user of " + quoted(question.user_nkey) + " but got " +
                       quoted(user->subject) + " on account " +
                       quoted(question.check.service->account_name));
    }
    return user;
}

const broker::account_configuration* find_account(const callout_question& question,
                                                  std::string_view name) {
    const auto& accounts = question.configuration.accounts;
    const auto found = std::ranges::find(accounts, name, &broker::account_configuration::name);
    return found == accounts.end() ? nullptr : &*found;
}

/// The account that the user comes into.
result<const broker::account_configuration*> account_of(const callout_question& question,
                                                        const auth::user_jwt& user) {
    const auto& service = *question.check.service;
    const auto on_account = quoted(service.account_name);
    if (!user.issuer_account.empty()) {
        return refused("error non operator mode account " + on_account +
                       ": attempted to use issuer_account");
    }
    if (user.issuer != service.issuer) {
        return invalid("wrong issuer for auth callout response on account " + on_account +
                       ", expected " + quoted(service.issuer) + " got " + quoted(user.issuer));
    }
    if (const auto* const found = find_account(question, user.audience)) return found;
    return refused("no valid account " + quoted(user.audience) +
                   " for auth callout response on account " + on_account + ": account missing");
}

/// By which way it comes.
broker::jwt_check origin_of(const callout_check& check) {
    broker::jwt_check way;
    way.in_process = check.in_process;
    way.is_websocket = check.is_websocket;
    return way;
}

/// What the user's JWT says, as a broker obeys it. The networks that it may come from are looked at
/// too, which nats-server does not.
result<std::shared_ptr<const broker::user_configuration>>
admitted(const callout_question& question, const auth::user_jwt& user,
         const broker::account_configuration& account) {
    const auto& check = question.check;
    const auto entry = may_enter(user.rights, check.host, origin_of(check), question.now);
    const auto on_account = " on account " + quoted(check.service->account_name);
    if (entry.what == entry_decision::fault::time) {
        return refused("authorized user" + on_account + " outside of valid connect times");
    }
    if (entry.what != entry_decision::fault::none) {
        return refused("authorized user" + on_account + " refused: " + entry.why_not);
    }
    const auto found = user_of(user, user.rights, {}, account.id, {});
    if (!found) return refused("Could not register auth callout user: " + found.error().message());
    auto made = std::make_shared<broker::user_configuration>(*renamed(check, **found, user.name));
    if (entry.until && (!made->expires || *entry.until < *made->expires)) {
        made->expires = entry.until;
    }
    return std::shared_ptr<const broker::user_configuration>(std::move(made));
}

} // namespace

result<answered_user> user_of_answer(const callout_question& question, std::string_view body) {
    const auto response = response_in(question, body);
    if (!response) return response.error();
    const auto user = checked_user(question, response->user_jwt);
    if (!user) return user.error();
    const auto account = account_of(question, *user);
    if (!account) return account.error();
    auto found = admitted(question, *user, **account);
    if (!found) return found.error();
    return answered_user{std::move(*found), refresh_after(response->refresh_seconds)};
}

result<vouched_user> vouched_user_of(const callout_question& question, std::string_view body) {
    const auto response = response_in(question, body);
    if (!response) return response.error();
    const auto user = checked_user(question, response->user_jwt);
    if (!user) return user.error();
    const auto& service = *question.check.service;
    const auto& account = user->account();
    if (account != service.issuer && !service.allowed_accounts.contains(account) &&
        !service.allowed_accounts.contains("*")) {
        return invalid("account " + quoted(user->issuer) +
                       " not permitted as valid account option for auth callout for account " +
                       quoted(service.account_name));
    }
    return vouched_user{response->user_jwt, user->name, refresh_after(response->refresh_seconds)};
}

std::shared_ptr<const broker::user_configuration> renamed(const callout_check& check,
                                                          const broker::user_configuration& user,
                                                          const std::string& name) {
    auto made = std::make_shared<broker::user_configuration>(user);
    made->name = name.empty() ? check.user : name;
    made->nkey.clear();
    // Services that say nothing of limits leave them zero, and nobody could do anything so.
    for (auto* const limit : {&made->max_subscriptions, &made->max_payload_bytes}) {
        if (*limit == 0) *limit = -1;
    }
    made->vouched = std::exchange(made->claims, nullptr);
    if (made->account == check.service->account) keep_from_asking(*made);
    return made;
}

void keep_from_asking(broker::user_configuration& user) {
    auto lists = user.permissions ? user.permissions->lists() : auth::permission_lists{};
    lists.publish_deny.emplace_back(auth::callout_subject);
    if (auto permissions = auth::permissions::make(lists)) user.permissions = *permissions;
}

result<answered_user> user_of_http_answer(const callout_question& question,
                                          const net::http_response& answer) {
    if (answer.status != 200) {
        auto why = "HTTP callout answered with status " + std::to_string(answer.status);
        return answer.status < 500 ? refused(std::move(why)) : invalid(std::move(why));
    }
    const auto read = auth::read_authorization_answer(answer.body);
    if (!read) return invalid("HTTP callout: " + std::string(read.error().detail()));
    if (!read->problem.empty()) return refused("HTTP callout refused: " + read->problem);
    const auto problem = problem_of_entry(read->rights);
    if (!problem.empty()) return invalid("HTTP callout: " + problem);
    const auto* const account = find_account(question, read->account);
    if (account == nullptr) {
        return refused("HTTP callout: no valid account " + quoted(read->account));
    }
    auth::user_jwt user;
    user.name = read->name;
    user.rights = read->rights;
    if (lacks_proxy(question.check, user.rights)) return without_proxy();
    // A service that reckoned a time already past does not mean "for ever".
    if (read->valid_seconds < 0) return refused("\"valid_seconds\" are over");
    if (read->valid_seconds > 0) {
        user.expires =
            unix_seconds(question.now) + std::min(read->valid_seconds, valid_seconds_max);
    }
    auto found = admitted(question, user, *account);
    if (!found) return found.error();
    return answered_user{std::move(*found), refresh_after(read->refresh_seconds)};
}

} // namespace pipit::server
