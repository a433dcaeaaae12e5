// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/jwt_account.hpp>

#include <pipit/auth/authorization_jwt.hpp>
#include <pipit/auth/permissions.hpp>
#include <pipit/auth/user_template.hpp>
#include <pipit/broker/broker.hpp>
#include <pipit/protocol/weighted_mapping.hpp>
#include <pipit/server/broker_configuration.hpp>
#include <pipit/server/callout_answer.hpp>
#include <pipit/server/jwt_links.hpp>
#include <pipit/server/jwt_user.hpp>

#include <map>
#include <utility>

namespace pipit::server {
namespace {

using broker::account_configuration;
using broker::session_verdict;

/// One that cannot be is left out, as in nats-server: the account lives.
void add_mappings(const auth::account_jwt& claims, account_configuration& to) {
    for (const auto& [source, destinations] : claims.mappings) {
        std::vector<protocol::mapping_destination> wanted;
        for (const auto& each : destinations) {
            wanted.push_back({.subject = each.subject,
                              .weight_percent = each.weight_percent,
                              .cluster = each.cluster});
        }
        auto made = protocol::weighted_mapping::make(source, std::move(wanted));
        if (!made) continue;
        to.mappings.push_back(std::make_shared<const protocol::weighted_mapping>(std::move(*made)));
    }
}

/// The rights of a key: null when there is no such key.
const std::optional<auth::user_rights>* scope_of(const auth::account_jwt& account,
                                                 const std::string& key) {
    const auto found = account.signing_keys.find(key);
    return found == account.signing_keys.end() ? nullptr : &found->second;
}

/// A key that signed no longer does, or gives other rights now.
bool key_is_gone(const auth::account_jwt* before, const auth::account_jwt& now,
                 const std::string& key) {
    const auto* const scope = scope_of(now, key);
    if (scope == nullptr) return key != now.subject;
    const auto* const old = before == nullptr ? nullptr : scope_of(*before, key);
    return old != nullptr && *old != *scope;
}

/// A role as it was, and as it is: other rights, or other words in them. A key that had no role, or
/// has none any more, is another key.
bool role_has_changed(const auth::account_jwt& before, const auth::account_jwt& now,
                      const std::string& key) {
    const auto* const old = scope_of(before, key);
    const auto* const scope = scope_of(now, key);
    if (old == nullptr || scope == nullptr || !*old || !*scope) return false;
    return *old != *scope || before.name != now.name || before.tags != now.tags ||
           before.default_permissions != now.default_permissions;
}

/// The same user with the account's new default permissions.
broker::user_pointer with_default_permissions(const broker::user_configuration& user,
                                              const auth::account_jwt& account) {
    auto lists = account.default_permissions;
    auto changed = std::make_shared<broker::user_configuration>(user);
    changed->permissions = nullptr;
    // Whom a service has let in may not ask it, nor who is of its account.
    if (user.vouched || !account.callout_users.empty()) {
        lists.publish_deny.emplace_back(auth::callout_subject);
    }
    if (lists != auth::permission_lists{}) {
        auto made = auth::permissions::make(std::move(lists));
        // What cannot be understood allows nothing.
        if (!made) made = auth::permissions::make({.publish_deny = {">"}, .subscribe_deny = {">"}});
        if (made) changed->permissions = std::move(*made);
    }
    return changed;
}

/// A scoped signing key with another template, on those whose JWTs it signed. What was made for one
/// is remembered for the other connections of the same JWT.
class edited_role {
public:
    /// As a login by the same JWT would be judged now, but that nobody signs again.
    session_verdict judge(const auth::account_jwt& account, const broker::user_configuration& user,
                          const broker::session_origin& from, wall_time now) {
        using enum session_verdict::fate;
        auto& [rights, made, is_known] = made_[user.claims];
        if (!std::exchange(is_known, true)) make(account, user, rights, made);
        if (made == nullptr) return {has_lost_its_signer};
        if (rights.bearer_token && account.limits.disallow_bearer) return {is_refused};
        // A bearer has never signed.
        if (user.claims->is_bearer && !rights.bearer_token) return {has_lost_its_signer};
        broker::jwt_check way;
        way.in_process = from.in_process;
        way.is_websocket = from.is_websocket;
        const auto entry = may_enter(rights, from.ip, way, now);
        if (entry.what != entry_decision::fault::none) return {is_refused};
        if (rights.proxy_required && !from.by_trusted_proxy) return {is_refused};
        if (!entry.until || (made->expires && *made->expires <= *entry.until)) return {stays, made};
        auto for_now = std::make_shared<broker::user_configuration>(*made);
        for_now->expires = entry.until;
        return {stays, std::move(for_now)};
    }

private:
    struct remembered {
        auth::user_rights rights;
        broker::user_pointer made; ///< Null: it could not log in any more.
        bool is_known = false;
    };

    static void make(const auth::account_jwt& account, const broker::user_configuration& user,
                     auth::user_rights& rights, broker::user_pointer& made) {
        const auto& claims = *user.claims;
        const auto* const scope = scope_of(account, claims.issuer);
        auth::user_jwt as_signed;
        as_signed.subject = user.nkey;
        as_signed.issuer = claims.issuer;
        as_signed.issuer_account = account.subject;
        as_signed.name = claims.name;
        as_signed.tags = claims.tags;
        as_signed.issued_at = claims.issued_at;
        as_signed.expires = claims.expires;
        auto filled = auth::fill_template(**scope, as_signed, account);
        if (!filled) return;
        rights = std::move(*filled);
        auto found = user_of(as_signed, rights, account, user.account, claims.jwt);
        if (!found) return;
        auto edited = std::make_shared<broker::user_configuration>(**found);
        if (!account.callout_users.empty()) keep_from_asking(*edited);
        made = std::move(edited);
    }

    std::map<std::shared_ptr<const broker::user_claims>, remembered> made_;
};

} // namespace

result<std::shared_ptr<const account_configuration>> account_of(const auth::account_jwt& claims,
                                                                std::string token,
                                                                account_numbers& numbers,
                                                                wall_time now) {
    auto made = std::make_shared<account_configuration>();
    made->name = claims.subject;
    numbers.identify(*made);
    made->limits = {.max_connections = claims.limits.connections,
                    .max_subscriptions = claims.limits.subscriptions,
                    .max_payload_bytes = claims.limits.payload};
    made->expires = auth::end_of(claims);
    made->trace_destination = claims.trace_destination;
    made->trace_sampling_percent = claims.trace_sampling_percent;
    auto details = std::make_shared<broker::account_claims>();
    details->jwt = std::move(token);
    details->issuer = claims.issuer;
    details->name = claims.name;
    details->tags = claims.tags;
    details->revocations = claims.revocations;
    details->updated = now;
    made->claims = std::move(details);
    add_exports(claims, *made);
    add_mappings(claims, *made);
    return std::shared_ptr<const account_configuration>(std::move(made));
}

broker::session_judge judge_of(known_claims before, known_claims now, bool live_permissions) {
    return [before = std::move(before), now = std::move(now), live_permissions,
            role = edited_role()](const broker::user_configuration& user,
                                  const broker::session_origin& from,
                                  wall_time at) mutable -> session_verdict {
        using enum session_verdict::fate;
        const bool is_vouched = user.claims == nullptr;
        const auto& known = is_vouched ? user.vouched : user.claims;
        if (known == nullptr) return {stays};
        const auto& claims = *known;
        if (!is_vouched && claims.is_bearer && now->limits.disallow_bearer) return {is_refused};
        if (now->revokes(claims.subject, claims.issued_at)) return {is_revoked};
        if (live_permissions && !is_vouched && claims.by_signing_key && before != nullptr &&
            role_has_changed(*before, *now, claims.issuer)) {
            return role.judge(*now, user, from, at);
        }
        if (claims.by_signing_key && key_is_gone(before.get(), *now, claims.issuer)) {
            return {has_lost_its_signer};
        }
        const bool other_defaults = claims.has_default_permissions && before != nullptr &&
                                    before->default_permissions != now->default_permissions;
        if (!other_defaults) return {stays};
        return {stays, with_default_permissions(user, *now)};
    };
}

broker::session_judge nobody_stays() {
    return [](const broker::user_configuration&, const broker::session_origin&,
              wall_time) -> session_verdict { return {session_verdict::fate::account_is_gone}; };
}

broker::session_judge everybody_is_refused() {
    return [](const broker::user_configuration&, const broker::session_origin&,
              wall_time) -> session_verdict { return {session_verdict::fate::is_refused}; };
}

} // namespace pipit::server
