// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/jwt_account.hpp>

#include <pipit/auth/permissions.hpp>
#include <pipit/protocol/weighted_mapping.hpp>
#include <pipit/server/jwt_links.hpp>

#include <utility>

namespace pipit::server {
namespace {

using broker::account_configuration;
using broker::session_verdict;

result<> add_mappings(const auth::account_jwt& claims, account_configuration& to) {
    for (const auto& [source, destinations] : claims.mappings) {
        std::vector<protocol::mapping_destination> wanted;
        for (const auto& each : destinations) {
            wanted.push_back({.subject = each.subject,
                              .weight_percent = each.weight_percent,
                              .cluster = each.cluster});
        }
        auto made = protocol::weighted_mapping::make(source, std::move(wanted));
        if (!made) return made.error();
        to.mappings.push_back(std::make_shared<const protocol::weighted_mapping>(std::move(*made)));
    }
    return {};
}

/// A key that signed no longer does, or gives other rights now.
bool key_is_gone(const auth::account_jwt* before, const auth::account_jwt& now,
                 const std::string& key) {
    const auto found = now.signing_keys.find(key);
    if (found == now.signing_keys.end()) return key != now.subject;
    if (before == nullptr) return false;
    const auto old = before->signing_keys.find(key);
    return old != before->signing_keys.end() && old->second != found->second;
}

/// The same user with the account's new default permissions.
broker::user_pointer with_default_permissions(const broker::user_configuration& user,
                                              const auth::permission_lists& lists) {
    auto changed = std::make_shared<broker::user_configuration>(user);
    changed->permissions = nullptr;
    if (lists != auth::permission_lists{}) {
        auto made = auth::permissions::make(lists);
        // What cannot be understood allows nothing.
        if (!made) made = auth::permissions::make({.publish_deny = {">"}, .subscribe_deny = {">"}});
        if (made) changed->permissions = std::move(*made);
    }
    return changed;
}

} // namespace

result<std::shared_ptr<const account_configuration>> account_of(const auth::account_jwt& claims,
                                                                std::string token,
                                                                broker::account_id id,
                                                                wall_time now) {
    auto made = std::make_shared<account_configuration>();
    made->id = id;
    made->name = claims.subject;
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
    if (const auto added = add_mappings(claims, *made); !added) return added.error();
    return std::shared_ptr<const account_configuration>(std::move(made));
}

broker::session_judge judge_of(known_claims before, known_claims now) {
    return [before = std::move(before),
            now = std::move(now)](const broker::user_configuration& user) -> session_verdict {
        using enum session_verdict::fate;
        if (user.claims == nullptr) return {stays};
        const auto& claims = *user.claims;
        if (claims.is_bearer && now->limits.disallow_bearer) return {is_refused};
        if (now->revokes(user.name, claims.issued_at)) return {is_revoked};
        if (claims.by_signing_key && key_is_gone(before.get(), *now, claims.issuer)) {
            return {has_lost_its_signer};
        }
        const bool other_defaults = claims.has_default_permissions && before != nullptr &&
                                    before->default_permissions != now->default_permissions;
        if (!other_defaults) return {stays};
        return {stays, with_default_permissions(user, now->default_permissions)};
    };
}

broker::session_judge nobody_stays() {
    return [](const broker::user_configuration&) -> session_verdict {
        return {session_verdict::fate::account_is_gone};
    };
}

} // namespace pipit::server
