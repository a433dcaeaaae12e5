// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/option_blocks.hpp>

#include <algorithm>

namespace pipit::server::detail {
namespace {

using options = websocket_options;

void read_websocket_listen(options& target, const config_entry& entry, config_findings& findings) {
    auto address = read_listen(entry, findings);
    if (!address) return;
    target.host = std::move(address->host);
    target.port = address->port;
}

// A bare number or date is no text here, as in nats-server.

template <auto Member>
void set_string(options& target, const config_entry& entry, config_findings& findings) {
    if (const auto* text = entry.value.as<std::string>()) {
        target.*Member = *text;
    } else {
        findings.wrong_kind(entry, "a string");
    }
}

template <auto Member>
void set_seconds(options& target, const config_entry& entry, config_findings& findings) {
    if (const auto value = read_seconds(entry, findings)) target.*Member = *value;
}
void set_handshake_timeout(options& target, const config_entry& entry, config_findings& findings) {
    if (entry.value.as<double>() != nullptr) {
        return findings.wrong_kind(entry, "whole seconds or a duration such as \"1.5s\"");
    }
    if (is_negative_duration(entry)) {
        target.handshake_timeout = std::chrono::seconds(-1);
        return;
    }
    set_seconds<&options::handshake_timeout>(target, entry, findings);
}
void set_ping_interval(options& target, const config_entry& entry, config_findings& findings) {
    if (is_negative_duration(entry)) {
        target.ping_interval = nanoseconds::zero();
        return;
    }
    set_duration<&options::ping_interval>(target, entry, findings);
}

constexpr key_rule<options> login_rules[] = {
    {"user username", set_string<&options::username>},
    {"password pass", set_string<&options::password>},
    {"token", set_string<&options::token>},
    {"timeout", set_seconds<&options::auth_timeout>},
};
void read_login(options& target, const config_entry& entry, config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (map) read_keys(*map, login_rules, target, findings);
}

void read_origins(options& target, const config_entry& entry, config_findings& findings) {
    const auto is_string = [](const config_value& value) {
        return value.as<std::string>() != nullptr;
    };
    const auto* array = entry.value.as<config_array>();
    if (array ? !std::ranges::all_of(*array, is_string) : !is_string(entry.value)) {
        return findings.wrong_kind(entry, "a string or an array of strings");
    }
    if (auto texts = read_texts(entry, findings)) target.allowed_origins = std::move(*texts);
}

void read_headers(options& target, const config_entry& entry, config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (!map) return;
    target.headers.clear();
    for (const auto& one : *map) {
        if (const auto* text = one.value.as<std::string>()) {
            target.headers[one.key] = *text;
        } else {
            findings.wrong_kind(one, "a string");
        }
    }
}

void read_websocket_tls(options& target, const config_entry& entry, config_findings& findings) {
    if (auto read = read_tls_block(entry, findings)) target.tls = std::move(read);
}

constexpr key_rule<options> websocket_rules[] = {
    {"listen", read_websocket_listen},
    {"port", set_integer<&options::port, -1, 65535>},
    {"host net", set_string<&options::host>},
    {"advertise", set_string<&options::advertise>},
    {"no_tls", set_boolean<&options::no_tls>},
    {"tls", read_websocket_tls},
    {"same_origin", set_boolean<&options::same_origin>},
    {"allowed_origins allowed_origin allow_origins allow_origin origins origin", read_origins},
    {"handshake_timeout", set_handshake_timeout},
    {"compression compress", set_boolean<&options::compression>},
    {"authorization authentication", read_login},
    {"jwt_cookie", set_string<&options::jwt_cookie>},
    {"user_cookie", set_string<&options::user_cookie>},
    {"pass_cookie", set_string<&options::pass_cookie>},
    {"token_cookie", set_string<&options::token_cookie>},
    {"no_auth_user", set_string<&options::no_auth_user>},
    {"headers", read_headers},
    {"ping_interval", set_ping_interval},
};

} // namespace

void read_websocket(server_options& options, const config_entry& entry, config_findings& findings) {
    const auto* map = read_map(entry, findings);
    if (map) read_keys(*map, websocket_rules, options.websocket, findings);
}

} // namespace pipit::server::detail
