// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/info.hpp>

#include <pipit/protocol/detail/json_object.hpp>
#include <pipit/protocol/json_writer.hpp>

namespace pipit::protocol {

void append_info(std::string& out, const server_info& info) {
    out += "INFO ";
    json_writer json(out);
    json.begin_object();
    json.member("server_id", info.server_id);
    json.member("server_name", info.server_name);
    json.member("version", info.version);
    json.member("proto", info.proto);
    json.optional_member("git_commit", info.git_commit);
    json.member("go", info.go);
    json.member("host", info.host);
    json.member("port", info.port);
    json.member("headers", info.headers);
    json.optional_member("auth_required", info.auth_required);
    json.optional_member("tls_required", info.tls_required);
    json.optional_member("tls_verify", info.tls_verify);
    json.optional_member("tls_available", info.tls_available);
    json.member("max_payload", info.max_payload);
    json.optional_member("jetstream", info.jetstream);
    json.optional_member("ip", info.ip);
    json.optional_member("client_id", info.client_id);
    json.optional_member("client_ip", info.client_ip);
    json.optional_member("nonce", info.nonce);
    json.optional_member("cluster", info.cluster);
    json.optional_member("cluster_dynamic", info.cluster_dynamic);
    json.optional_member("domain", info.domain);
    json.optional_member("connect_urls", info.connect_urls);
    json.optional_member("ws_connect_urls", info.ws_connect_urls);
    json.optional_member("ldm", info.ldm);
    json.optional_member("connect_info", info.connect_info);
    json.optional_member("remote_account", info.remote_account);
    json.optional_member("acc_is_sys", info.acc_is_sys);
    json.optional_member("api_lvl", info.api_lvl);
    json.optional_member("xkey", info.xkey);
    json.end_object();
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
