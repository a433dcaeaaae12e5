// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/jwt.hpp>
#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/monitoring_text.hpp>

namespace pipit::server {
namespace {

void write_websocket(json_writer& json, const websocket_options& options) {
    json.begin_object("websocket");
    if (options.port != 0) {
        json.optional_member("host", options.host);
        json.optional_member("port", options.port);
        json.optional_member("advertise", options.advertise);
        json.optional_member("no_auth_user", options.no_auth_user);
        json.optional_member("jwt_cookie", options.jwt_cookie);
        json.optional_member("handshake_timeout", options.handshake_timeout.count());
        json.optional_member("auth_timeout",
                             std::chrono::duration<double>(options.auth_timeout).count());
        json.optional_member("no_tls", options.no_tls);
        json.optional_member("same_origin", options.same_origin);
        json.optional_member("allowed_origins", options.allowed_origins);
        json.optional_member("compression", options.compression);
        json.optional_member("tls_ocsp_peer_verify", asks_about_peers(options.tls));
    }
    json.end_object();
}

void write_configuration(json_writer& json, const monitoring_snapshot& snapshot) {
    const auto& configuration = *snapshot.configuration;
    const auto& server = snapshot.server;
    json.member("max_connections", configuration.max_connections);
    json.optional_member("max_subscriptions", configuration.max_subscriptions);
    json.member("ping_interval", configuration.ping_interval.count());
    json.member("ping_max", configuration.ping_max);
    json.member("http_host", server.http_host);
    json.member("http_port", server.http_port);
    json.member("http_base_path", server.http_base_path);
    json.member("https_port", server.https_port);
    json.member("auth_timeout", std::chrono::duration<double>(configuration.auth_timeout).count());
    json.member("max_control_line", configuration.max_control_line_bytes);
    json.member("max_payload", configuration.max_payload_bytes);
    json.member("max_pending", configuration.max_pending_bytes);
    for (const auto* absent : {"cluster", "gateway", "leaf", "mqtt"}) {
        json.begin_object(absent);
        json.end_object();
    }
    write_websocket(json, server.websocket);
    json.begin_object("jetstream");
    json.end_object();
    json.member("tls_timeout", std::chrono::duration<double>(server.tls_timeout).count());
    json.member("write_deadline", configuration.write_deadline.count());
    json.optional_member("write_timeout", server.write_timeout);
}

void write_process(json_writer& json, const server_snapshot& server) {
    json.member("start", rfc3339(server.start));
    json.member("now", rfc3339(server.now.wall));
    json.member("uptime", uptime_text(server.now.wall - server.start));
    json.member("mem", server.memory_bytes);
    json.member("cores", server.cores);
    json.member("gomaxprocs", server.cores);
    json.member("cpu", server.cpu_percent);
}

void write_counters(json_writer& json, const broker::broker_statistics& total) {
    json.member("connections", total.connections);
    json.member("total_connections", total.total_connections);
    for (const auto* absent : {"routes", "remotes", "leafnodes"}) json.member(absent, 0);
    json.member("in_msgs", total.in.messages);
    json.member("in_bytes", total.in.bytes);
    json.member("in_client_msgs", total.in.messages);
    json.member("in_client_bytes", total.in.bytes);
    json.member("out_msgs", total.out.messages);
    json.member("out_bytes", total.out.bytes);
    json.member("out_client_msgs", total.out.messages);
    json.member("out_client_bytes", total.out.bytes);
    json.member("slow_consumers", total.slow_consumers);
    json.member("stale_connections", total.stale_connections);
    json.member("stalled_clients", total.stalled_clients);
    json.member("subscriptions", total.subscriptions);
}

void write_by_kind(json_writer& json, std::string_view name, std::uint64_t clients) {
    json.begin_object(name);
    json.member("clients", clients);
    for (const auto* absent : {"routes", "gateways", "leafs"}) json.member(absent, 0);
    json.end_object();
}

template <class Map>
void write_map(json_writer& json, std::string_view name, const Map& values) {
    json.begin_object(name);
    for (const auto& [key, value] : values) json.member(key, value);
    json.end_object();
}

void write_ocsp_cache(json_writer& json, const ocsp_statistics& counted) {
    json.begin_object("ocsp_peer_cache");
    json.member("cache_type", "local");
    json.optional_member("cache_hits", counted.hits);
    json.optional_member("cache_misses", counted.misses);
    json.optional_member("cached_responses", counted.responses);
    json.optional_member("cached_revoked_responses", counted.revokes);
    json.optional_member("cached_good_responses", counted.goods);
    json.optional_member("cached_unknown_responses", counted.unknowns);
    json.end_object();
}

void write_operators(json_writer& json, const std::vector<std::string>& operators) {
    if (operators.empty()) return;
    json.member("trusted_operators_jwt", operators);
    json.begin_array("trusted_operators_claim");
    for (const auto& token : operators) json.json_element(auth::claims_json(token).value_or("{}"));
    json.end_array();
}

void write_proxies(json_writer& json, const std::vector<std::string>& trusted) {
    json.begin_object("proxies");
    if (!trusted.empty()) {
        json.begin_array("trusted");
        for (const auto& key : trusted) {
            json.element();
            json.begin_object();
            json.member("key", key);
            json.end_object();
        }
        json.end_array();
    }
    json.end_object();
}

} // namespace

std::map<std::string, bool> merged_feature_flags(const std::map<std::string, bool>& configured) {
    std::map<std::string, bool> flags{{"js_ack_fc_v2", false},
                                      {"js_api_reply_v2", false},
                                      {"js_raft_delete_range", true},
                                      {"js_snapshot_sources", false}};
    for (auto& [name, value] : flags) {
        if (const auto found = configured.find(name); found != configured.end()) {
            value = found->second;
        }
    }
    return flags;
}

net::http_response varz(const document_request& request) {
    const auto snapshot = request.collect({});
    if (!snapshot) return unavailable(snapshot.error());
    const auto& server = snapshot->server;
    const auto& identity = snapshot->configuration->identity;
    const auto total = total_statistics(*snapshot);

    std::string text;
    json_writer json(text, page_indent);
    json.begin_object();
    json.member("server_id", identity.id);
    json.member("server_name", identity.name);
    json.member("version", identity.version);
    json.member("pipit_version", server.pipit_version);
    json.member("proto", 1);
    json.member("go", "none, C++20");
    json.member("host", identity.host);
    json.member("port", identity.port);
    json.optional_member("auth_required", snapshot->configuration->authorization.required());
    json.optional_member("tls_required", snapshot->configuration->tls_required);
    json.optional_member("tls_verify", snapshot->configuration->tls_verify);
    json.optional_member("tls_ocsp_peer_verify",
                         snapshot->configuration->tls_required && server.asks_about_peers);
    json.optional_member("connect_urls", identity.connect_urls);
    write_configuration(json, *snapshot);
    write_process(json, server);
    write_counters(json, total);
    write_map(json, "http_req_stats", request.counts);
    json.member("config_load_time", rfc3339(server.configuration_loaded));
    json.member("config_digest", server.configuration_digest);
    json.optional_member("tags", server.tags);
    if (!server.metadata.empty()) write_map(json, "metadata", server.metadata);
    write_map(json, "feature_flags", merged_feature_flags(server.feature_flags));
    write_operators(json, server.operators);
    json.optional_member("system_account", system_account_name(*snapshot->configuration));
    json.optional_member("pinned_account_fails", server.refused_unpinned);
    if (server.ocsp_cache) write_ocsp_cache(json, *server.ocsp_cache);
    write_by_kind(json, "slow_consumer_stats", total.slow_consumers);
    write_by_kind(json, "stale_connection_stats", total.stale_connections);
    json.begin_object("disk_io_wait_stats");
    for (const auto* never : {"waiters", "waits", "wait_time", "max_wait_time"}) {
        json.member(never, 0);
    }
    json.end_object();
    if (server.trusted_proxies) write_proxies(json, *server.trusted_proxies);
    if (server.tls_valid_until) {
        json.member("tls_cert_not_after", rfc3339(*server.tls_valid_until));
    }
    json.end_object();
    return json_answer(std::move(text));
}

} // namespace pipit::server
