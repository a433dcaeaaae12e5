// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/system_services.hpp>

#include <pipit/protocol/go_text.hpp>

#include <algorithm>
#include <array>

namespace pipit::server {
namespace {

using type = request_option::type;

constexpr std::array connz_options{
    request_option{"sort", "sort", type::text},
    request_option{"auth", "auth", type::flag},
    request_option{"subscriptions", "subs", type::flag},
    request_option{"subscriptions_detail", "subs_detail", type::flag},
    request_option{"offset", "offset", type::number},
    request_option{"limit", "limit", type::number},
    request_option{"cid", "cid", type::natural},
    request_option{"mqtt_client", "mqtt_client", type::text},
    request_option{"state", "state", type::connection_state},
    request_option{"user", "user", type::text},
    request_option{"acc", "acc", type::text},
    request_option{"filter_subject", "filter_subject", type::text},
};
constexpr std::array subsz_options{
    request_option{"offset", "offset", type::number},
    request_option{"limit", "limit", type::number},
    request_option{"subscriptions", "subs", type::flag},
    request_option{"account", "acc", type::text},
    request_option{"test", "test", type::text},
};
constexpr std::array subs_options{
    request_option{"subscriptions", "subs", type::flag},
    request_option{"account", "acc", type::text},
};
constexpr std::array accountz_options{request_option{"account", "acc", type::text}};
constexpr std::array jsz_options{
    request_option{"account", "acc", type::text},
    request_option{"accounts", "accounts", type::flag},
    request_option{"streams", "streams", type::flag},
    request_option{"consumer", "consumers", type::flag},
    request_option{"direct_consumer", "direct-consumers", type::flag},
    request_option{"config", "config", type::flag},
    request_option{"leader_only", "leader-only", type::flag},
    request_option{"offset", "offset", type::number},
    request_option{"limit", "limit", type::number},
    request_option{"raft", "raft", type::flag},
    request_option{"stream_leader_only", "stream-leader-only", type::flag},
};
constexpr std::array healthz_options{
    request_option{"js-enabled", "js-enabled", type::flag},
    request_option{"js-enabled-only", "js-enabled-only", type::flag},
    request_option{"js-server-only", "js-server-only", type::flag},
    request_option{"js-meta-only", "js-meta-only", type::flag},
    request_option{"account", "account", type::text},
    request_option{"stream", "stream", type::text},
    request_option{"consumer", "consumer", type::text},
    request_option{"details", "details", type::flag},
};
constexpr std::array client_options{request_option{"cid", "cid", type::natural}};
constexpr std::array conns_options{request_option{"acc", "acc", type::text}};
constexpr std::array ipqueuesz_options{
    request_option{"all", "all", type::flag},
    request_option{"filter", "queues", type::text},
};
constexpr std::array profilez_options{
    request_option{"name", "name", type::text},
    request_option{"debug", "debug", type::number},
    request_option{"duration", "duration", type::number},
};

/// There are no goroutines to look into.
net::http_response profilez(const document_request& request) {
    const auto name = request.query.text("name");
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.null_member("profile");
    json.member("error", name.empty() ? "Profile name not specified"
                                      : "Profile " + protocol::quoted(name) + " not found");
    json.end_object();
    return json_answer(std::move(text));
}

/// Without a group there is nothing that a member would say.
net::http_response no_raftz(const document_request&) { return json_answer("{}"); }

constexpr std::array services{
    system_service{.name = "IDZ"},
    system_service{.name = "STATSZ"},
    system_service{.name = "VARZ", .make = varz},
    system_service{
        .name = "SUBSZ", .make = subsz, .options = subsz_options, .about_accounts = true},
    system_service{
        .name = "CONNZ", .make = connz, .options = connz_options, .about_accounts = true},
    system_service{.name = "ROUTEZ", .make = routez, .options = subs_options},
    system_service{.name = "GATEWAYZ", .make = gatewayz, .options = subs_options},
    system_service{.name = "LEAFZ", .make = leafz, .options = subs_options, .about_accounts = true},
    system_service{.name = "ACCOUNTZ", .make = accountz, .options = accountz_options},
    system_service{.name = "JSZ", .make = jsz, .options = jsz_options, .about_accounts = true},
    system_service{.name = "HEALTHZ", .make = healthz, .options = healthz_options},
    system_service{.name = "PROFILEZ", .make = profilez, .options = profilez_options},
    system_service{.name = "EXPVARZ", .make = debug_vars},
    system_service{.name = "IPQUEUESZ", .make = ipqueuesz, .options = ipqueuesz_options},
    system_service{.name = "RAFTZ", .make = no_raftz},
    system_service{.name = "RELOAD", .by_ping = false},
    system_service{.name = "KICK", .options = client_options, .by_ping = false},
    system_service{.name = "LDM", .options = client_options, .by_ping = false},
    system_service{.name = "INFO", .by_id = false, .by_ping = false, .about_accounts = true},
    system_service{.name = "STATZ", .by_id = false, .by_ping = false, .about_accounts = true},
    system_service{.name = "CONNS",
                   .options = conns_options,
                   .by_id = false,
                   .by_ping = false,
                   .about_accounts = true},
};

} // namespace

std::span<const system_service> system_services() noexcept { return services; }

const system_service* service_named(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(services, name, &system_service::name);
    return found == services.end() ? nullptr : &*found;
}

} // namespace pipit::server
