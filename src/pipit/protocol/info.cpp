// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/info.hpp>

#include <pipit/protocol/detail/json_object.hpp>

namespace pipit::protocol {

void append_info(std::string& out, const server_info& info) {
    out += "INFO ";
    detail::json_object_writer json(out);
    json.add("server_id", info.server_id);
    json.add("server_name", info.server_name);
    json.add("version", info.version);
    json.add("proto", info.proto);
    json.add_unless_empty("git_commit", info.git_commit);
    json.add("go", info.go);
    json.add("host", info.host);
    json.add("port", info.port);
    json.add("headers", info.headers);
    json.add_unless_empty("auth_required", info.auth_required);
    json.add_unless_empty("tls_required", info.tls_required);
    json.add_unless_empty("tls_verify", info.tls_verify);
    json.add_unless_empty("tls_available", info.tls_available);
    json.add("max_payload", info.max_payload);
    json.add_unless_empty("jetstream", info.jetstream);
    json.add_unless_empty("ip", info.ip);
    json.add_unless_empty("client_id", info.client_id);
    json.add_unless_empty("client_ip", info.client_ip);
    json.add_unless_empty("nonce", info.nonce);
    json.add_unless_empty("cluster", info.cluster);
    json.add_unless_empty("cluster_dynamic", info.cluster_dynamic);
    json.add_unless_empty("domain", info.domain);
    json.add_unless_empty("connect_urls", info.connect_urls);
    json.add_unless_empty("ws_connect_urls", info.ws_connect_urls);
    json.add_unless_empty("ldm", info.ldm);
    json.add_unless_empty("connect_info", info.connect_info);
    json.add_unless_empty("remote_account", info.remote_account);
    json.add_unless_empty("acc_is_sys", info.acc_is_sys);
    json.add_unless_empty("api_lvl", info.api_lvl);
    json.add_unless_empty("xkey", info.xkey);
    json.end();
    out += " \r\n";
}

result<server_info> parse_info(bytes_view json) {
    using namespace detail;
    server_info info;
    const json_field fields[] = {
        {"server_id", &info.server_id},
        {"server_name", &info.server_name},
        {"version", &info.version},
        {"proto", &info.proto},
        {"git_commit", &info.git_commit},
        {"go", &info.go},
        {"host", &info.host},
        {"port", &info.port},
        {"headers", &info.headers},
        {"auth_required", &info.auth_required},
        {"tls_required", &info.tls_required},
        {"tls_verify", &info.tls_verify},
        {"tls_available", &info.tls_available},
        {"max_payload", &info.max_payload},
        {"jetstream", &info.jetstream},
        {"ip", &info.ip},
        {"client_id", &info.client_id},
        {"client_ip", &info.client_ip},
        {"nonce", &info.nonce},
        {"cluster", &info.cluster},
        {"cluster_dynamic", &info.cluster_dynamic},
        {"domain", &info.domain},
        {"connect_urls", &info.connect_urls},
        {"ws_connect_urls", &info.ws_connect_urls},
        {"ldm", &info.ldm},
        {"connect_info", &info.connect_info},
        {"remote_account", &info.remote_account},
        {"acc_is_sys", &info.acc_is_sys},
        {"api_lvl", &info.api_lvl},
        {"xkey", &info.xkey},
        // Between servers. A nats-server refuses an INFO that has them with another type.
        {"compression", checked_text{}},
        {"import", checked_permissions{}},
        {"export", checked_permissions{}},
        {"lnoc", checked_boolean{}},
        {"lnocu", checked_boolean{}},
        {"ln", checked_boolean{}},
        {"info_on_connect", checked_boolean{}},
        {"route_pool_size", checked_integer{}},
        {"route_pool_idx", checked_integer{}},
        {"route_account", checked_text{}},
        {"route_acc_add_reqid", checked_text{}},
        {"gossip_mode", checked_integer{}},
        {"gateway", checked_text{}},
        {"gateway_urls", checked_texts{}},
        {"gateway_url", checked_text{}},
        {"gateway_cmd", checked_integer{}},
        {"gateway_nrp", checked_boolean{}},
        {"gateway_iom", checked_boolean{}},
        {"leafnode_urls", checked_texts{}},
    };
    if (auto read = read_json_object(json, fields); !read) return read.error();
    return info;
}

} // namespace pipit::protocol
