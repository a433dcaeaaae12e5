// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/detail/read_claims.hpp>

#include <pipit/auth/detail/claims_reader.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/trimmed.hpp>
#include <pipit/protocol/go_text.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace pipit::auth::detail {
namespace {

namespace json = boost::json;

constexpr std::array<std::pair<std::string_view, jwt_kind>, 6> kinds{{
    {"operator", jwt_kind::operator_claims},
    {"account", jwt_kind::account},
    {"user", jwt_kind::user},
    {"activation", jwt_kind::activation},
    {"authorization_request", jwt_kind::authorization_request},
    {"authorization_response", jwt_kind::authorization_response},
}};

jwt_kind kind_named(std::string_view name) {
    for (const auto& [known, kind] : kinds) {
        if (known == name) return kind;
    }
    return jwt_kind::generic;
}

/// The object `nats`, or an empty one.
const json::object& body_of(const json::object& payload) {
    static const json::object nothing;
    const auto* const found = payload.if_contains("nats");
    const auto* const body = found == nullptr ? nullptr : found->if_object();
    return body == nullptr ? nothing : *body;
}

void read_permission(claims_reader reader, std::vector<std::string>& allow,
                     std::vector<std::string>& deny) {
    reader.read("allow", allow);
    reader.read("deny", deny);
}

void read_permissions(claims_reader& reader, permission_lists& to) {
    reader.object("pub", [&](claims_reader inner) {
        read_permission(inner, to.publish_allow, to.publish_deny);
    });
    reader.object("sub", [&](claims_reader inner) {
        read_permission(inner, to.subscribe_allow, to.subscribe_deny);
    });
    reader.object("resp", [&](claims_reader inner) {
        auto& responses = to.allow_responses.emplace();
        std::int64_t expires = 0;
        int most = 0;
        inner.read("max", most);
        inner.read("ttl", expires);
        // 0 stands for the default.
        if (most != 0) responses.max = most;
        if (expires != 0) responses.expires = nanoseconds(expires);
    });
}

/// One or two digits, as many as are there; nothing: none.
std::optional<int> take_number(std::string_view& text) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.empty() || !is_digit(text[0])) return std::nullopt;
    int number = text[0] - '0';
    const bool has_two = text.size() > 1 && is_digit(text[1]);
    if (has_two) number = number * 10 + (text[1] - '0');
    text.remove_prefix(has_two ? 2 : 1);
    return number;
}

/// `08:30:00`, and as Go reads it also `8:30:00` and `08:30:00.5`.
std::optional<std::chrono::seconds> time_of_day(std::string_view text) {
    const auto hours = take_number(text);
    if (!hours || *hours > 23) return std::nullopt;
    std::chrono::seconds time = std::chrono::hours(*hours);
    for (const auto unit : {std::chrono::seconds(60), std::chrono::seconds(1)}) {
        if (!text.starts_with(':')) return std::nullopt;
        text.remove_prefix(1);
        const auto before = text.size();
        const auto number = take_number(text);
        if (!number || *number > 59 || before - text.size() != 2) return std::nullopt;
        time += *number * unit;
    }
    const bool has_fraction = text.size() > 1 && (text[0] == '.' || text[0] == ',');
    if (has_fraction) {
        text.remove_prefix(1);
        text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
    }
    if (!text.empty()) return std::nullopt;
    return time;
}

/// An array, or one text with commas.
void read_networks(claims_reader& reader, std::vector<std::string>& to) {
    const auto* const found = reader.find("src");
    const auto* const text = found == nullptr ? nullptr : found->if_string();
    if (text == nullptr) return reader.read("src", to);
    to.clear();
    for (std::string_view rest(text->data(), text->size()); !rest.empty();) {
        const auto item = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(item.size() + 1, rest.size()));
        if (const auto network = trimmed(item, " "); !network.empty()) to.emplace_back(network);
    }
}

void read_rights(claims_reader& reader, user_rights& to) {
    read_permissions(reader, to.permissions);
    read_networks(reader, to.source_networks);
    reader.objects("times", [&](claims_reader inner) {
        std::string start, end;
        inner.read("start", start);
        inner.read("end", end);
        const auto from = time_of_day(start), until = time_of_day(end);
        if (from && until) return to.times.push_back({*from, *until});
        to.times_problem = std::string(from ? "end" : "start") + " in time range is invalid " +
                           protocol::quoted(from ? end : start);
    });
    reader.read("times_location", to.times_location);
    reader.read("subs", to.subscriptions);
    reader.read("data", to.data);
    reader.read("payload", to.payload);
    reader.read("bearer_token", to.bearer_token);
    reader.read("proxy_required", to.proxy_required);
    reader.read("allowed_connection_types", to.connection_types);
}

void read_signing_keys(claims_reader& reader, account_jwt& to) {
    reader.for_each("signing_keys", [&](const json::value& each) {
        if (const auto* const text = each.if_string()) {
            to.signing_keys[std::string(text->data(), text->size())] = std::nullopt;
            return;
        }
        const auto* const object = each.if_object();
        if (object == nullptr) return; // As Go's reader, which minds nothing else.
        claims_reader inner(*object, reader.wrong());
        std::string kind, key;
        inner.read("kind", kind);
        inner.read("key", key);
        if (kind != "user_scope") return inner.spoil("kind");
        user_rights scope;
        scope.subscriptions = scope.data = scope.payload = -1;
        inner.object("template", [&](claims_reader within) { read_rights(within, scope); });
        to.signing_keys[key] = std::move(scope);
    });
}

bool allows_storage(claims_reader& reader) {
    std::int64_t memory = 0, disk = 0;
    reader.read("mem_storage", memory);
    reader.read("disk_storage", disk);
    return memory != 0 || disk != 0;
}

/// Any of the limits that are not those of a tier.
bool limits_jetstream(claims_reader& reader) {
    bool any = false;
    reader.read("max_bytes_required", any);
    for (const auto* const name :
         {"mem_storage", "disk_storage", "streams", "consumer", "max_ack_pending",
          "mem_max_stream_bytes", "disk_max_stream_bytes"}) {
        std::int64_t most = 0;
        reader.read(name, most);
        any = any || most != 0;
    }
    return any;
}

void read_limits(claims_reader reader, account_claims_limits& to) {
    reader.read("subs", to.subscriptions);
    reader.read("data", to.data);
    reader.read("payload", to.payload);
    reader.read("imports", to.imports);
    reader.read("exports", to.exports);
    reader.read("conn", to.connections);
    reader.read("leaf", to.leaf_nodes);
    reader.read("wildcards", to.wildcard_exports);
    reader.read("disallow_bearer", to.disallow_bearer);
    to.jetstream = allows_storage(reader);
    const bool without_tiers = limits_jetstream(reader);
    reader.object("tiered_limits", [&](claims_reader tiers) {
        to.mixes_tiers = without_tiers && !tiers.members().empty();
        for (const auto& tier : tiers.members()) {
            const auto name = tier.key();
            to.has_unnamed_tier = to.has_unnamed_tier || name.empty();
            tiers.object({name.data(), name.size()}, [&](claims_reader one) {
                to.jetstream = allows_storage(one) || to.jetstream;
            });
        }
    });
}

void read_export(claims_reader reader, jwt_export& to) {
    std::int64_t threshold = 0, position = 0;
    reader.read("subject", to.subject);
    to.has_type = reader.members().contains("type");
    if (to.has_type) reader.read_kind("type", to.is_service);
    reader.read("token_req", to.needs_token);
    reader.read("revocations", to.revocations);
    reader.read("response_type", to.response_type);
    reader.read("response_threshold", threshold);
    reader.read("account_token_position", position);
    reader.read("allow_trace", to.allow_trace);
    reader.read("description", to.description);
    reader.read("info_url", to.info_url);
    to.response_threshold = nanoseconds(threshold);
    if (position < 0 || position > std::numeric_limits<unsigned>::max()) {
        return reader.spoil("account_token_position");
    }
    to.account_token_position = static_cast<std::uint64_t>(position);
    reader.object("service_latency", [&](claims_reader inner) {
        inner.read("results", to.latency_subject);
        int percent = 0;
        const auto* const sampling = inner.find("sampling");
        const auto* const text = sampling == nullptr ? nullptr : sampling->if_string();
        if (text == nullptr) {
            inner.read("sampling", percent);
        } else if (!equal_without_case({text->data(), text->size()}, "headers")) {
            inner.spoil("sampling");
        }
        to.latency_sampling = percent;
    });
}

void read_import(claims_reader reader, jwt_import& to) {
    reader.read("subject", to.subject);
    reader.read("account", to.account);
    reader.read("token", to.token);
    reader.read("to", to.to);
    reader.read("local_subject", to.local_subject);
    to.has_type = reader.members().contains("type");
    if (to.has_type) reader.read_kind("type", to.is_service);
    reader.read("share", to.share);
    reader.read("allow_trace", to.allow_trace);
}

void read_mappings(claims_reader reader, account_jwt& to) {
    for (const auto& mapping : reader.members()) {
        const std::string source(mapping.key().data(), mapping.key().size());
        auto& destinations = to.mappings[source];
        reader.objects(source, [&](claims_reader inner) {
            auto& destination = destinations.emplace_back();
            int weight = 0;
            inner.read("subject", destination.subject);
            inner.read("weight", weight);
            inner.read("cluster", destination.cluster);
            if (weight < 0 || weight > 255) return inner.spoil("weight");
            if (weight != 0) destination.weight_percent = weight;
        });
    }
}

} // namespace

void read_common_claims(const json::object& payload, jwt_claims& to, std::string& wrong) {
    claims_reader reader(payload, wrong);
    reader.read("jti", to.id);
    reader.read("iss", to.issuer);
    reader.read("sub", to.subject);
    reader.read("name", to.name);
    reader.read("aud", to.audience);
    reader.read("iat", to.issued_at);
    reader.read("exp", to.expires);
    reader.read("nbf", to.not_before);
    std::string kind;
    reader.read("type", kind);
    if (!kind.empty()) { // So wrote version 1.
        to.version = 1;
        reader.read("tags", to.tags);
    } else {
        claims_reader body(body_of(payload), wrong);
        body.read("type", kind);
        body.read("version", to.version);
        body.read("tags", to.tags);
    }
    to.kind = kind_named(kind);
}

void read_claims(const json::object& payload, user_jwt& to, std::string& wrong) {
    claims_reader outer(payload, wrong);
    claims_reader body(body_of(payload), wrong);
    if (to.version == 1) to.rights.subscriptions = to.rights.data = to.rights.payload = -1;
    read_rights(body, to.rights);
    (to.version == 1 ? outer : body).read("issuer_account", to.issuer_account);
}

void read_claims(const json::object& payload, account_jwt& to, std::string& wrong) {
    claims_reader body(body_of(payload), wrong);
    body.object("limits", [&](claims_reader inner) { read_limits(inner, to.limits); });
    read_signing_keys(body, to);
    body.read("revocations", to.revocations);
    body.objects("exports",
                 [&](claims_reader inner) { read_export(inner, to.exports.emplace_back()); });
    body.objects("imports",
                 [&](claims_reader inner) { read_import(inner, to.imports.emplace_back()); });
    body.object("default_permissions",
                [&](claims_reader inner) { read_permissions(inner, to.default_permissions); });
    body.object("mappings", [&](claims_reader inner) { read_mappings(inner, to); });
    body.object("authorization", [&](claims_reader inner) {
        inner.read("auth_users", to.callout_users);
        inner.read("allowed_accounts", to.callout_accounts);
        inner.read("xkey", to.callout_xkey);
    });
    body.read("cluster_traffic", to.cluster_traffic);
    body.read("description", to.description);
    body.read("info_url", to.info_url);
    body.object("trace", [&](claims_reader inner) {
        to.has_trace = true;
        inner.read("dest", to.trace_destination);
        inner.read("sampling", to.trace_sampling_percent);
        if (to.trace_sampling_percent == 0) to.trace_sampling_percent = 100;
    });
}

void read_claims(const json::object& payload, operator_jwt& to, std::string& wrong) {
    claims_reader body(body_of(payload), wrong);
    body.read("signing_keys", to.signing_keys);
    body.read("account_server_url", to.account_server_url);
    body.read("operator_service_urls", to.service_urls);
    body.read("system_account", to.system_account);
    body.read("assert_server_version", to.assert_server_version);
    body.read("strict_signing_key_usage", to.strict_signing_keys);
}

void read_claims(const json::object& payload, activation_jwt& to, std::string& wrong) {
    claims_reader outer(payload, wrong);
    claims_reader body(body_of(payload), wrong);
    body.read("subject", to.import_subject);
    body.read_kind(to.version == 1 ? "type" : "kind", to.is_service);
    (to.version == 1 ? outer : body).read("issuer_account", to.issuer_account);
}

void read_claims(const json::object& payload, generic_jwt& to, std::string& wrong) {
    claims_reader body(body_of(payload), wrong);
    const auto* const found = body.find("accounts");
    if (found == nullptr || !found->is_array()) return;
    std::string not_texts;
    std::vector<std::string> accounts;
    claims_reader(body.members(), not_texts).read("accounts", accounts);
    if (not_texts.empty()) to.accounts = std::move(accounts);
}

} // namespace pipit::auth::detail
