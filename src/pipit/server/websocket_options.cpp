// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/websocket_options.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/net/websocket_handshake.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/host_port.hpp>
#include <pipit/server/operator_trust.hpp>
#include <pipit/server/options.hpp>
#include <pipit/server/websocket_origin.hpp>

namespace pipit::server {
namespace {

error invalid(std::string text) { return {errc::invalid_configuration, std::move(text)}; }

result<> validate_allowed_origin(const std::string& text) {
    const auto wrong = "unable to parse allowed origin " + protocol::quoted(text) + ": ";
    const auto origin = parse_origin(text);
    if (!origin) return invalid(wrong + "it is no URL with a scheme and a host");
    if (origin->scheme != "http" && origin->scheme != "https") {
        return invalid(wrong + "allowed origins must be absolute URLs with http or https scheme");
    }
    return {};
}

/// They go into each answer as they are.
result<> validate_header(const std::string& name, const std::string& value) {
    const auto lower = lower_case(name);
    for (const auto* const taken :
         {"host", "content-length", "connection", "upgrade", "nats-no-masking"}) {
        if (lower != taken) continue;
        return invalid("websocket: invalid header " + protocol::quoted(name) + " not allowed");
    }
    if (lower.starts_with("sec-websocket-")) {
        return invalid("websocket: invalid header " + protocol::quoted(name) +
                       ", \"Sec-WebSocket-\" prefix not allowed");
    }
    if (!net::is_http_token(name) || !net::is_http_text(value)) {
        return invalid("websocket: header " + protocol::quoted(name) +
                       " has characters that HTTP does not allow");
    }
    return {};
}

result<> validate_logins(const server_options& options) {
    const auto& websocket = options.websocket;
    if (auto checked = validate_no_auth_user(options, websocket.no_auth_user); !checked) {
        return checked;
    }
    if (!options.users.empty() && !websocket.username.empty()) {
        return invalid(
            "websocket authentication username not compatible with presence of users/nkeys");
    }
    if (!options.users.empty() && !websocket.token.empty()) {
        return invalid(
            "websocket authentication token not compatible with presence of users/nkeys");
    }
    if (!websocket.jwt_cookie.empty() && !is_in_operator_mode(options)) {
        return invalid("trusted operators or trusted keys configuration is required for JWT "
                       "authentication via cookie " +
                       protocol::quoted(websocket.jwt_cookie));
    }
    return {};
}

} // namespace

result<> validate_websocket_options(const server_options& options) {
    const auto& websocket = options.websocket;
    if (websocket.port == 0) return {};
    if (!websocket.no_tls && !websocket.tls) return invalid("websocket requires TLS configuration");
    for (const auto& allowed : websocket.allowed_origins) {
        if (auto checked = validate_allowed_origin(allowed); !checked) return checked;
    }
    if (auto checked = validate_logins(options); !checked) return checked;
    for (const auto& [name, value] : websocket.headers) {
        if (auto checked = validate_header(name, value); !checked) return checked;
    }
    if (!websocket.advertise.empty() && !parse_advertised(websocket.advertise)) {
        return invalid("websocket: invalid advertise value of " + websocket.advertise +
                       ", it is a host or host:port");
    }
    return {};
}

bool overrides_authorization(const websocket_options& options) noexcept {
    return !options.username.empty() || !options.token.empty() || !options.no_auth_user.empty();
}

} // namespace pipit::server
