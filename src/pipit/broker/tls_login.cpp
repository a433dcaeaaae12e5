// SPDX-License-Identifier: Apache-2.0
// What a client's certificate says, and whether it may come in.
#include <pipit/broker/state.hpp>
#include <pipit/broker/tls_facts.hpp>
#include <pipit/broker/tls_login.hpp>

#include <pipit/protocol/error_texts.hpp>

#include <algorithm>
#include <utility>

namespace pipit::broker {
namespace {

using auth::distinguished_name;

/// A user whose name is the certificate's name: as it stands there, or else in another order.
const user_configuration* find_by_name(const authorization& authorization,
                                       const distinguished_name& name,
                                       const session_origin& origin) {
    const user_configuration* reordered = nullptr;
    for (const auto& [text, user] : authorization.users) {
        if (!may_connect(user, origin)) continue;
        const auto parsed = distinguished_name::parse(text);
        if (!parsed) continue;
        if (parsed->equals(name)) return &user;
        if (reordered == nullptr && parsed->has_the_parts_of(name)) reordered = &user;
    }
    return reordered;
}

} // namespace

bool may_connect(const user_configuration& user, const session_origin& origin) noexcept {
    if (origin.is_websocket) return user.websocket_connections_allowed;
    return origin.in_process ? user.in_process_connections_allowed
                             : user.standard_connections_allowed;
}

/// Source: auth, section 1.
const user_configuration* user_of_certificate(const authorization& authorization,
                                              const session_origin& origin) {
    if (!origin.tls || origin.tls->peer.empty()) return nullptr;
    const auto& certificate = origin.tls->peer.front();
    const auto find = [&](const std::string& text) -> const user_configuration* {
        const auto found = authorization.users.find(text);
        const bool fits = !text.empty() && found != authorization.users.end() &&
                          may_connect(found->second, origin);
        return fits ? &found->second : nullptr;
    };
    for (const auto* names : {&certificate.emails, &certificate.dns_names, &certificate.uris}) {
        for (const auto& text : *names) {
            if (const auto* user = find(text)) return user;
        }
    }
    if (certificate.name) {
        if (const auto* user = find_by_name(authorization, *certificate.name, origin)) return user;
    }
    if (const auto* user = find(certificate.subject_and_components)) return user;
    return find(certificate.common_subject);
}

bool is_pinned(const configuration& config, const session_origin& origin) {
    const auto& pinned = origin.is_websocket ? config.websocket.pinned_keys : config.pinned_keys;
    if (pinned.empty() || !origin.tls) return true;
    return !origin.tls->peer.empty() &&
           std::ranges::binary_search(pinned, origin.tls->peer.front().key_sha256);
}

void broker::secured(session& session, tls_facts facts, moment now) {
    auto& state = *state_;
    auto& origin = session.details->origin;
    origin.tls = std::make_shared<const tls_facts>(std::move(facts));
    if (session.ended()) return;
    if (!is_pinned(*state.config, origin)) {
        state.log(log_level::error, session, "TLS handshake error: certificate not pinned");
        state.out.end(session, close_reason::tls_handshake_failure, false);
        return state.settle(now);
    }
    state.log(log_level::debug, session, "TLS handshake complete");
    state.log(log_level::debug, session,
              "TLS version " + origin.tls->version + ", cipher suite " + origin.tls->cipher_suite);
    if (session.awaiting_connect) {
        session.auth_deadline = now.steady + state.config->auth_timeout_for(origin.is_websocket);
    }
    session.ping_deadline = now.steady + state.config->ping_interval;
    state.reschedule(session);
}

void broker::turn_away(session& session, std::string_view error_text, close_reason reason,
                       moment now) {
    if (!session.ended()) state_->out.end_with_error(session, error_text, reason);
    state_->settle(now);
}

void broker::note(const session& session, log_level level, std::string_view text) const {
    state_->log(level, session, text);
}

} // namespace pipit::broker
