// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/detail/checked_block.hpp>
#include <pipit/server/detail/option_blocks.hpp>

namespace pipit::server::detail {
namespace {

constexpr checked_row cluster_rows[] = {
    {"name", a_cluster_name},
    {"listen", keep_listen},
    {"port", keep_port},
    {"host net", keep_host},
    {"authorization", a_peer_login},
    {"routes", some_texts},
    {"tls", a_tls_block},
    {"cluster_advertise advertise", a_text},
    {"no_advertise", a_boolean},
    {"connect_retries", an_integer<>},
    {"connect_backoff", a_boolean},
    {"permissions", some_permissions},
    {"pool_size", an_integer<>},
    {"accounts", some_texts},
    {"compression", a_compression},
    {"ping_interval", a_duration},
    {"ping_max", an_integer<>},
    {"write_deadline", a_duration},
    {"write_timeout", a_write_timeout},
};

constexpr checked_row remote_gateway_rows[] = {
    {"name", a_text},
    {"tls", a_tls_block},
    {"url", a_text},
    {"urls", some_texts},
};

constexpr checked_row gateway_rows[] = {
    {"name", a_cluster_name},
    {"listen", keep_listen},
    {"port", keep_port},
    {"host net", keep_host},
    {"authorization", a_peer_login},
    {"tls", a_tls_block},
    {"advertise", a_text},
    {"connect_retries", an_integer<>},
    {"connect_backoff", a_boolean},
    {"gateways", some_blocks<remote_gateway_rows>},
    {"reject_unknown_cluster reject_unknown", a_boolean},
    {"write_deadline", a_duration},
    {"write_timeout", a_write_timeout},
};

constexpr checked_row leaf_user_rows[] = {
    {"user username", a_text},
    {"password pass", a_text},
    {"account", a_text},
    {"proxy_required", a_boolean},
};

void a_leaf_name(checked_block& block, const config_entry& entry, config_findings& findings) {
    const auto name = read_text(entry, findings);
    block.has_logins |= name && !name->empty();
}
void some_leaf_users(checked_block& block, const config_entry& entry, config_findings& findings) {
    some_blocks<leaf_user_rows>(block, entry, findings);
    const auto* array = entry.value.as<config_array>();
    block.has_logins |= array && !array->empty();
}

constexpr checked_row leaf_authorization_rows[] = {
    {"user username", a_leaf_name}, {"password pass", a_text},  {"nkey", a_leaf_name},
    {"timeout", some_seconds},      {"users", some_leaf_users}, {"account", a_text},
    {"proxy_required", a_boolean},
};
void a_leaf_authorization(checked_block& block, const config_entry& entry,
                          config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return;
    checked_block inner;
    read_keys(*map, leaf_authorization_rows, inner, findings);
    block.has_logins = inner.has_logins;
}

constexpr checked_row proxy_rows[] = {
    {"url", a_text},         {"username", a_text}, {"password", a_text},
    {"timeout", a_duration}, {"tls", a_tls_block},
};

constexpr checked_row migrate_rows[] = {{"leader_migrate_delay", a_duration}};
void a_migration(checked_block& block, const config_entry& entry, config_findings& findings) {
    if (entry.value.as<bool>() == nullptr) a_block<migrate_rows>(block, entry, findings);
}

constexpr checked_row remote_leaf_rows[] = {
    {"no_randomize dont_randomize", a_boolean},
    {"url urls", some_texts},
    {"account local", a_text},
    {"credentials creds", a_text},
    {"nkey seed", a_text},
    {"tls", a_tls_block},
    {"hub", a_boolean},
    {"deny_imports deny_import", some_texts},
    {"deny_exports deny_export", some_texts},
    {"ws_compression ws_compress websocket_compress websocket_compression", a_boolean},
    {"ws_no_masking websocket_no_masking", a_boolean},
    {"jetstream_cluster_migrate js_cluster_migrate", a_migration},
    {"isolate_leafnode_interest isolate", a_boolean},
    {"request_isolation", a_boolean},
    {"compression", a_compression},
    {"first_info_timeout", a_duration},
    {"dial_timeout", a_duration},
    {"disabled", a_boolean},
    {"proxy", a_block<proxy_rows>},
    {"ignore_discovered_servers", a_boolean},
};

constexpr checked_row leafnode_rows[] = {
    {"listen", keep_listen},
    {"port", keep_port},
    {"host net", keep_host},
    {"authorization", a_leaf_authorization},
    {"remotes", some_blocks<remote_leaf_rows>},
    {"reconnect reconnect_delay reconnect_interval", a_duration},
    {"dial_timeout", a_duration},
    {"tls", a_tls_block},
    {"advertise leafnode_advertise", a_text},
    {"no_advertise", a_boolean},
    {"min_version minimum_version", a_text},
    {"compression", a_compression},
    {"isolate_leafnode_interest isolate", a_boolean},
    {"write_deadline", a_duration},
    {"write_timeout", a_write_timeout},
};

constexpr checked_row simple_login_rows[] = {
    {"user username", a_text},
    {"password pass", a_text},
    {"token", a_text},
    {"timeout", some_seconds},
};

void an_ignored_replica_count(checked_block&, const config_entry& entry,
                              config_findings& findings) {
    findings.warning(entry.place, "invalid use of field " + protocol::quoted(entry.key) +
                                      ": consumer replicas setting ignored in this server version");
}

constexpr checked_row mqtt_rows[] = {
    {"listen", keep_listen},
    {"port", keep_port},
    {"host net", keep_host},
    {"tls", a_tls_block},
    {"authorization authentication", a_block<simple_login_rows>},
    {"no_auth_user", a_text},
    {"ack_wait ackwait", a_duration},
    {"js_api_timeout api_timeout", a_duration},
    {"max_ack_pending max_pending max_inflight", an_integer<0, 0xffff>},
    {"js_domain", a_text},
    {"stream_replicas", an_integer<>},
    {"consumer_replicas", an_ignored_replica_count},
    {"consumer_memory_storage", a_boolean},
    {"consumer_inactive_threshold consumer_auto_cleanup", a_duration},
    {"reject_qos2_publish", a_boolean},
    {"downgrade_qos2_subscribe", a_boolean},
};

/// Reads a block, keeps the listener that it asks for, and notes that nothing serves it.
void read_listening_block(server_options& options, const config_entry& entry, listener_kind kind,
                          std::span<const checked_row> rows, std::string_view feature,
                          config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return;
    checked_block block;
    read_keys(*map, rows, block, findings);
    findings.leave_out(entry, feature);
    if (block.port.value_or(0) == 0) return;
    // Who logs in there by the block's own names has no user that a certificate could find.
    options.reserved_listeners.push_back(
        {.kind = kind,
         .host = std::move(block.host),
         .port = *block.port,
         .maps_certificates = block.maps_certificates && !block.has_logins});
}

} // namespace

void read_cluster(server_options& options, const config_entry& entry, config_findings& findings) {
    read_listening_block(options, entry, listener_kind::cluster, cluster_rows, "cluster", findings);
}
void read_gateway(server_options& options, const config_entry& entry, config_findings& findings) {
    read_listening_block(options, entry, listener_kind::gateway, gateway_rows, "gateway", findings);
}
void read_leafnodes(server_options& options, const config_entry& entry, config_findings& findings) {
    read_listening_block(options, entry, listener_kind::leafnodes, leafnode_rows, "leafnodes",
                         findings);
}
void read_mqtt(server_options& options, const config_entry& entry, config_findings& findings) {
    read_listening_block(options, entry, listener_kind::mqtt, mqtt_rows, "mqtt", findings);
}

void read_profile_port(server_options& options, const config_entry& entry,
                       config_findings& findings) {
    const auto port = read_integer(entry, {-1, 65535}, findings);
    if (port.value_or(0) == 0) return;
    findings.leave_out(entry, "prof_port");
    options.reserved_listeners.push_back({listener_kind::profile, {}, static_cast<int>(*port)});
}

} // namespace pipit::server::detail
