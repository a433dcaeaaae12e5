// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/jwt_user.hpp>

#include <pipit/auth/permissions.hpp>
#include <pipit/base/ascii_case.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/source_network.hpp>
#include <pipit/server/time_zone.hpp>

#include <algorithm>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

/// Which of the kinds of connection a user's list allows.
struct connection_types {
    bool standard = true;
    bool websocket = true;
    bool in_process = true;
    bool none_known = false; ///< Those who wrote the list meant something that is not there.
};

connection_types types_of(const std::vector<std::string>& names) {
    if (names.empty()) return {};
    connection_types types{false, false, false, true};
    constexpr std::string_view known[] = {"standard", "websocket", "leafnode",  "leafnode_ws",
                                          "mqtt",     "mqtt_ws",   "in_process"};
    for (const auto& name : names) {
        const auto type = lower_case(name);
        if (std::find(std::begin(known), std::end(known), type) == std::end(known)) continue;
        types.none_known = false;
        types.standard = types.standard || type == "standard";
        types.websocket = types.websocket || type == "websocket";
        types.in_process = types.in_process || type == "in_process";
    }
    return types;
}

bool comes_from(const std::vector<std::string>& networks, const std::string& address) {
    if (networks.empty()) return true;
    for (const auto& text : networks) {
        const auto network = source_network::parse(text);
        if (!network) return false;
        if (network->contains(address)) return true;
    }
    return false;
}

/// How much is left of a range; nothing: it is not its time. `now` is what has begun of its second,
/// so that a range that begins with this second has begun.
std::optional<std::chrono::seconds> time_left(const auth::time_range& range,
                                              std::chrono::seconds now) {
    if (range.start <= now && now < range.end) return range.end - now;
    if (range.start <= range.end) return std::nullopt;
    if (now < range.end) return range.end - now;
    if (range.start <= now) return range.end + 24h - now;
    return std::nullopt;
}

/// False: it is none of these times. `until` is the last end.
bool is_time(const auth::user_rights& rights, wall_time now, std::optional<wall_time>& until) {
    if (!rights.times_problem.empty()) return false;
    if (rights.times.empty()) return true;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
    const auto local = local_time_at(rights.times_location, seconds.count());
    if (!local) return false;
    std::optional<std::chrono::seconds> longest;
    for (const auto& range : rights.times) {
        const auto left = time_left(range, local->since_midnight);
        if (left && (!longest || *left > *longest)) longest = left;
    }
    if (longest) until = wall_time(seconds + *longest);
    return longest.has_value();
}

/// -1 means no limit; a lower number allows nothing.
std::int64_t limit_of(std::int64_t written) noexcept { return written < -1 ? 0 : written; }

bool says_nothing(const auth::permission_lists& lists) { return lists == auth::permission_lists{}; }

} // namespace

std::string problem_of_time(const auth::jwt_claims& claims, wall_time now) {
    switch (auth::time_of(claims, now)) {
    case auth::jwt_time::valid: return {};
    case auth::jwt_time::expired: return "claim is expired";
    case auth::jwt_time::not_yet_valid: return "claim is not yet valid";
    }
    return {};
}

entry_decision may_enter(const auth::user_rights& rights, const std::string& address,
                         const broker::jwt_check& check, wall_time now) {
    using fault = entry_decision::fault;
    const auto types = types_of(rights.connection_types);
    const bool is_allowed = check.is_websocket ? types.websocket
                            : check.in_process ? types.in_process
                                               : types.standard;
    if (types.none_known || !is_allowed) {
        return {fault::connection_type, "Connection type not allowed", {}};
    }
    if (!comes_from(rights.source_networks, address)) {
        return {fault::network, "Bad src Ip " + address, {}};
    }
    std::optional<wall_time> until;
    if (!is_time(rights, now, until)) return {fault::time, "Outside connect times", {}};
    return {fault::none, {}, until};
}

std::string problem_of_entry(const auth::user_rights& rights) {
    for (const auto& network : rights.source_networks) {
        if (!source_network::parse(network)) {
            return "invalid cidr " + protocol::quoted(network) + " in user src limits";
        }
    }
    if (!rights.times_problem.empty()) return rights.times_problem;
    const auto& place = rights.times_location;
    if (place.empty() || local_time_at(place, 0)) return {};
    return "could not parse iana time zone by name: unknown time zone " + protocol::quoted(place);
}

result<std::shared_ptr<const broker::user_configuration>>
user_of(const auth::user_jwt& user, const auth::user_rights& rights,
        const auth::account_jwt& account, broker::account_id id, std::string token) {
    auto made = std::make_shared<broker::user_configuration>();
    made->name = user.subject;
    made->nkey = user.subject;
    made->account = id;
    made->max_subscriptions = limit_of(rights.subscriptions);
    made->max_payload_bytes = limit_of(rights.payload);
    made->expires = auth::end_of(user);
    made->proxy_required = rights.proxy_required;
    const auto types = types_of(rights.connection_types);
    made->standard_connections_allowed = types.standard;
    made->websocket_connections_allowed = types.websocket;
    made->in_process_connections_allowed = types.in_process;

    const bool by_default = says_nothing(rights.permissions);
    const auto& lists = by_default ? account.default_permissions : rights.permissions;
    if (!says_nothing(lists)) {
        auto permissions = auth::permissions::make(lists);
        if (!permissions) return permissions.error();
        made->permissions = std::move(*permissions);
    }
    auto claims = std::make_shared<broker::user_claims>();
    claims->jwt = std::move(token);
    claims->subject = user.subject;
    claims->issuer = user.issuer;
    claims->name = user.name;
    claims->tags = user.tags;
    claims->issued_at = user.issued_at;
    claims->expires = user.expires;
    claims->is_bearer = rights.bearer_token;
    claims->by_signing_key = !user.issuer_account.empty();
    claims->has_default_permissions = by_default;
    made->claims = std::move(claims);
    return std::shared_ptr<const broker::user_configuration>(std::move(made));
}

} // namespace pipit::server
