// SPDX-License-Identifier: Apache-2.0
// A new configuration, and the end of the server, on live sessions.
#include <pipit/broker/configured_users.hpp>
#include <pipit/broker/state.hpp>
#include <pipit/broker/tls_login.hpp>

#include <pipit/protocol/error_texts.hpp>

#include <algorithm>
#include <utility>

namespace pipit::broker {
namespace {

namespace texts = protocol::error_texts;

/// What becomes of a session under a new configuration.
enum class fate { stays, is_refused, has_moved };
struct verdict {
    fate what;
    user_pointer user = nullptr;                                ///< Of one who stays.
    close_reason reason = close_reason::authentication_failure; ///< Of one who is refused.
};

/// A service decides about it from now on, which did not, or decided otherwise.
bool is_asked_about(const session& session,
                    const std::shared_ptr<const callout_configuration>& decided,
                    const std::shared_ptr<const callout_configuration>& decides,
                    const configuration& config) {
    if (decides == nullptr || (decided != nullptr && *decided == *decides)) return false;
    const auto& identity = session.details->identity;
    if (identity != nullptr && decides->users.contains(identity->name)) return false;
    return decides->accounts.empty() || session.of->id == config.global_account ||
           decides->accounts.contains(session.of->id);
}

verdict judge(const session& session, const configuration& before,
              const std::shared_ptr<const configuration>& config) {
    using enum fate;
    const bool is_websocket = session.details->origin.is_websocket;
    const auto& known_before = before.authorization_for(is_websocket);
    const auto& known = config->authorization_for(is_websocket);
    // Who came with a JWT is its account's business.
    if (known_before.by_jwt && known.by_jwt) {
        return {stays, session.details->identity};
    }
    // Who was let in by a service that still decides stays as he is.
    const auto& decided = before.authorization.callout;
    const auto& decides = config->authorization.callout;
    if (session.by_callout && decided != nullptr && decides != nullptr && *decided == *decides) {
        return {stays, session.details->identity};
    }
    const bool is_a_user = known_before.required() && known_before.token.empty();
    if (!known.required()) {
        if (is_a_user || session.of->id != config->global_account) return {has_moved};
        return {stays};
    }
    if (!known_before.required()) return {is_refused};
    if (is_asked_about(session, decided, decides, *config)) return {has_moved};
    // Lives as long as the configuration, which it keeps alive.
    const user_pointer new_user(config, user_named(known, session.details->user));
    if (is_a_user && new_user == nullptr) return {has_moved};
    if (!known.token.empty()) {
        const bool same = known.token == known_before.token;
        return {same ? stays : is_refused};
    }
    const auto& old_user = session.details->identity;
    if (old_user == nullptr || new_user == nullptr || old_user->password != new_user->password ||
        old_user->nkey != new_user->nkey) {
        return {is_refused};
    }
    if (new_user->proxy_required && !session.details->origin.by_trusted_proxy) {
        return {is_refused, nullptr, close_reason::proxy_required};
    }
    if (!may_connect(*new_user, session.details->origin)) return {is_refused};
    if (new_user->account != session.of->id) return {has_moved};
    return {stays, new_user};
}

/// It named a user that there is no more, or was taken for one: it connects again, or not at all.
bool lost_its_user(const session& session, const configuration& before,
                   const configuration& config) {
    const auto& options = session.details->options;
    const auto& name = options.nkey.empty() ? options.user : options.nkey;
    const bool is_websocket = session.details->origin.is_websocket;
    return user_named(before.authorization_for(is_websocket), name) != nullptr &&
           user_named(config.authorization_for(is_websocket), name) == nullptr;
}

std::string_view error_text_of(close_reason reason) noexcept {
    switch (reason) {
    case close_reason::max_connections_exceeded: return texts::max_connections;
    case close_reason::authentication_failure: return texts::authorization_violation;
    default: return {};
    }
}

} // namespace

void broker::reconfigure(std::shared_ptr<const configuration> config, moment now) {
    auto& state = *state_;
    const auto before = std::exchange(state.config, std::move(config));
    const auto& after = *state.config;
    state.routing.configure(after);
    state.out.configure(after);
    for (auto& [id, session] : state.sessions) {
        if (!session->ended()) state.reconfigure(*session, *before, now);
        if (!session->ended()) state.routing.renew_aliases(*session);
    }
    state.routing.aliases_are_renewed();
    state.settle(now);
}

void broker_state::reconfigure(session& session, const configuration& before, moment now) {
    const auto& after = *config;
    const auto traced = after.trace_protocol ? delivery::traced : std::uint8_t{0};
    session.delivery_flags =
        static_cast<std::uint8_t>((session.delivery_flags & ~delivery::traced) | traced);
    if (!is_pinned(after, session.details->origin)) {
        log(log_level::debug, session,
            "Disconnected: Key found is not in the list of tls pinned certs.");
        return out.end(session, close_reason::tls_handshake_failure);
    }
    if (!trusts_proxy_of(session)) return refuse_login(session, close_reason::proxy_not_trusted);
    if (session.awaiting_callout && session.of == nullptr &&
        lost_its_user(session, before, after)) {
        return out.end(session, close_reason::client_closed);
    }
    if (session.of == nullptr) {
        // It has not said who it is: nothing is asked of it any more, or all is as it was.
        if (authorization_of(session).required()) return;
        session.awaiting_connect = false;
        session.auth_deadline = {};
        (void)bind(session, nullptr, now);
        return;
    }
    if (session.by_callout && !routing.is_configured(session.of->id)) {
        return out.end(session, close_reason::client_closed);
    }
    const auto verdict = judge(session, before, config);
    if (verdict.what == fate::is_refused) {
        if (verdict.reason == close_reason::proxy_required) log_lack_of_proxy(session);
        return refuse_login(session, verdict.reason);
    }
    if (verdict.what == fate::has_moved) {
        // It connects again and finds its new account, or is told that it has none.
        return out.end(session, close_reason::client_closed);
    }
    session.details->identity = verdict.user;
    const auto subscriptions_before = session.max_subscriptions;
    apply_limits(session);
    if (session.max_subscriptions != subscriptions_before && end_when_full(session)) return;
    session.ping_deadline =
        std::min(session.ping_deadline,
                 now.steady + after.ping_interval_for(session.details->origin.is_websocket));
    reschedule(session);
    change_permissions(session, verdict.user != nullptr ? verdict.user->permissions : nullptr);
}

void broker::announce_lame_duck(moment now) {
    auto& state = *state_;
    state.lame_duck = true;
    for (auto& [id, session] : state.sessions) {
        if (session->information_wanted && session->pong_sent) state.send_info(*session, false);
    }
    state.settle(now);
}

lame_duck_answer broker::announce_lame_duck(std::uint64_t client_id) {
    auto& state = *state_;
    auto* session = state.routing.find_session(client_id);
    if (session == nullptr) return lame_duck_answer::unknown_client;
    if (!session->information_wanted || !session->pong_sent) return lame_duck_answer::not_ready;
    state.log(log_level::debug, *session, "Sending Lame Duck Mode info to client");
    state.send_info(*session, true, true);
    return lame_duck_answer::told;
}

void broker::close_sessions(std::span<const std::uint64_t> client_ids, close_reason reason,
                            moment now) {
    auto& state = *state_;
    for (const auto id : client_ids) {
        auto* session = state.routing.find_session(id);
        if (session == nullptr) continue;
        if (reason == close_reason::max_account_connections_exceeded) {
            state.end_as_excess(*session);
            continue;
        }
        const auto text = error_text_of(reason);
        if (!text.empty()) state.out.send_error(*session, text);
        state.out.end(*session, reason);
    }
    state.settle(now);
}

void broker::close_all(close_reason reason, moment now) {
    close_sessions(client_ids(), reason, now);
}

} // namespace pipit::broker
