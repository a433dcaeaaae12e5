// SPDX-License-Identifier: Apache-2.0
// A connection that has become encrypted, or may not.
#include <pipit/broker/state.hpp>
#include <pipit/broker/tls_facts.hpp>
#include <pipit/broker/tls_login.hpp>

#include <pipit/protocol/error_texts.hpp>

#include <algorithm>
#include <utility>

namespace pipit::broker {

bool is_pinned(const configuration& config, const session_origin& origin) {
    const auto& pinned = origin.is_websocket ? config.websocket.pinned_keys : config.pinned_keys;
    if (pinned.empty() || !origin.tls) return true;
    return !origin.tls->peer.empty() &&
           std::ranges::binary_search(pinned, origin.tls->peer.front().key_sha256);
}

void broker::greet(session& session) {
    if (!session.ended()) state_->send_info(session, false);
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
    // A WebSocket begins its session, and is greeted, when its own handshake is done as well.
    if (origin.shakes_hands_first && origin.tls->before_info) state.send_info(session, false);
    if (session.awaiting_connect) {
        session.auth_deadline = now.steady + state.config->auth_timeout_for(origin.is_websocket);
    }
    session.ping_deadline = now.steady + state.config->ping_interval_for(origin.is_websocket);
    state.reschedule(session);
}

void broker::goes_without_tls(session& session, moment now) {
    if (session.ended() || !session.awaiting_connect || session.auth_deadline != steady_time{}) {
        return;
    }
    const bool is_websocket = session.details->origin.is_websocket;
    session.auth_deadline = now.steady + state_->config->auth_timeout_for(is_websocket);
    state_->reschedule(session);
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
