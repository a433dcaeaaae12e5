// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/websocket_policy.hpp>

#include <pipit/base/websocket_limits.hpp>
#include <pipit/net/ip_address.hpp>

#include <algorithm>

namespace pipit::server {
namespace {

/// Nobody waits for ten years: there are only so many that may.
nanoseconds time_for(nanoseconds handshake_timeout) noexcept {
    if (handshake_timeout < nanoseconds::zero()) return std::chrono::hours(24 * 365 * 10);
    return handshake_timeout == nanoseconds::zero() ? limits::websocket_handshake_timeout
                                                    : handshake_timeout;
}

} // namespace

websocket_policy::websocket_policy(const websocket_options& options, bool over_tls)
    : options_(options),
      handshake_timeout_(time_for(options.handshake_timeout)),
      over_tls_(over_tls) {
    for (const auto& allowed : options.allowed_origins) {
        if (auto origin = parse_origin(allowed)) allowed_origins_.push_back(std::move(*origin));
    }
    for (const auto& [name, value] : options.headers) {
        extra_fields_.append(name).append(": ").append(value).append("\r\n");
    }
}

net::websocket_verdict websocket_policy::judge(const net::websocket_request& request) const {
    if (request.path.ends_with("/mqtt")) {
        return {.refused_with = 404, .why = "mqtt websocket endpoint not enabled"};
    }
    if (request.path.ends_with("/leafnode")) {
        return {.refused_with = 404, .why = "not configured to accept leaf node connections"};
    }
    auto complaint = complaint_about_origin(request);
    if (!complaint.empty()) {
        return {.refused_with = 403, .why = "origin not allowed: " + complaint};
    }
    return {.compresses = options_.compression, .extra_fields = extra_fields_};
}

/// Who sends no origin is no page in a browser, and could send any.
std::string websocket_policy::complaint_about_origin(const net::websocket_request& request) const {
    if (!request.origin || (!options_.same_origin && options_.allowed_origins.empty())) return {};
    const auto origin = parse_origin(*request.origin);
    if (!origin) return "invalid origin";
    if (options_.same_origin && origin != origin_of_host(request.host, over_tls_)) {
        return "not same origin";
    }
    const bool is_listed = options_.allowed_origins.empty() ||
                           std::find(allowed_origins_.begin(), allowed_origins_.end(), *origin) !=
                               allowed_origins_.end();
    return is_listed ? "" : "not in the allowed list";
}

void websocket_policy::note_request(const net::websocket_request& request,
                                    broker::session_origin& origin) const {
    origin.is_websocket = true;
    // Only a proxy's own word: a list has what its client claimed in front.
    if (net::parse_ip(request.forwarded_for)) origin.forwarded_for = request.forwarded_for;

    broker::connect_defaults defaults;
    bool is_given = false;
    const auto take = [&](const std::string& wanted, const net::http_cookie& cookie,
                          std::string& value) {
        if (wanted.empty() || wanted != cookie.name) return;
        value = cookie.value;
        is_given = true;
    };
    for (const auto& cookie : request.cookies) {
        take(options_.jwt_cookie, cookie, defaults.jwt);
        take(options_.user_cookie, cookie, defaults.user);
        take(options_.pass_cookie, cookie, defaults.pass);
        take(options_.token_cookie, cookie, defaults.auth_token);
    }
    if (is_given) {
        origin.defaults = std::make_shared<const broker::connect_defaults>(std::move(defaults));
    }
}

} // namespace pipit::server
