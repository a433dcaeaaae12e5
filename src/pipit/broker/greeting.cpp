// SPDX-License-Identifier: Apache-2.0
// What a client is told of its server: INFO.
#include <pipit/broker/state.hpp>
#include <pipit/broker/tls_facts.hpp>

#include <pipit/auth/nonce.hpp>

namespace pipit::broker {

std::string broker_state::nonce_of(const session& session) const {
    const auto& nonces = config->identity.nonces;
    return nonces == nullptr ? std::string() : nonces->make(session.client_id);
}

/// Source: client-protocol, section 1.
std::string broker_state::info_line(const session& session, bool with_account,
                                    bool as_lame_duck) const {
    const auto& identity = config->identity;
    const auto& origin = session.details->origin;
    protocol::server_info info;
    info.server_id = identity.id;
    info.server_name = identity.name;
    info.version = identity.version;
    info.go = "none (C++)";
    info.host = identity.host;
    info.port = identity.port;
    info.headers = config->headers_supported;
    const auto& authorization = authorization_of(session);
    info.auth_required =
        authorization.required() && (session.pong_sent || !authorization.greeting_asks_for_nothing);
    // Later ones go to those who have signed.
    const bool is_greeting = !with_account && !session.pong_sent;
    if (is_greeting && (authorization.needs_nonce() || config->always_send_nonce ||
                        config->trusted_proxies != nullptr)) {
        info.nonce = nonce_of(session);
    }
    if (!origin.in_process) {
        // Who begins with a handshake is told first that there has to be one, as in nats-server.
        const bool came_first = origin.tls != nullptr && origin.tls->before_info;
        info.tls_required = config->tls_required || (is_greeting && came_first);
        info.tls_available = config->tls_available;
        info.tls_verify = config->tls_verify;
    }
    info.max_payload = static_cast<int>(session.max_payload_bytes);
    info.client_id = session.client_id;
    if (!origin.behind_proxy || with_account) info.client_ip = origin.ip;
    info.connect_urls = identity.connect_urls;
    if (origin.is_websocket) {
        info.host = config->websocket.host;
        info.port = config->websocket.port;
        info.connect_urls.clear(); // Those are for TCP.
        info.tls_required = info.tls_available = config->websocket.over_tls;
    }
    info.ldm = lame_duck || as_lame_duck;
    info.api_lvl = 5;
    info.xkey = identity.xkey;
    if (with_account && session.of != nullptr) {
        info.connect_info = true;
        info.remote_account = session.of->config->name;
        info.acc_is_sys = session.of->id == config->system_account;
    }
    std::string line;
    protocol::append_info(line, info);
    return line;
}

void broker_state::send_info(session& session, bool with_account, bool as_lame_duck) {
    out.send(session, info_line(session, with_account, as_lame_duck));
}

} // namespace pipit::broker
