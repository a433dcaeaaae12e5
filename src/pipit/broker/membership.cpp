// SPDX-License-Identifier: Apache-2.0
// What follows from who a client is: its account, its limits, its permissions, and when that ends.
#include <pipit/broker/session_log.hpp>
#include <pipit/broker/state.hpp>

#include <pipit/protocol/error_texts.hpp>

#include <algorithm>

namespace pipit::broker {
namespace {

namespace texts = protocol::error_texts;

/// -1 means no limit on either side.
std::int64_t smaller_limit(std::int64_t a, std::int64_t b) noexcept {
    if (a < 0) return b;
    return b < 0 ? a : std::min(a, b);
}

} // namespace

/// Puts the session into its account. False: it was refused and ended.
bool broker_state::bind(session& session, user_pointer user, moment now) {
    const auto id = user != nullptr ? user->account : config->global_account;
    auto* of = routing.account_of(id);
    if (of == nullptr) {
        leave_account(session);
        out.end_with_error(session, texts::failed_account_registration,
                           close_reason::missing_account);
        return false;
    }
    session.details->identity = std::move(user);
    const auto& identity = session.details->identity;
    // Who stays in the account keeps the subscriptions made before the first CONNECT.
    bool has_room = true;
    if (session.of != of) {
        leave_account(session);
        // Another loop may be counting, too: of two who take the last place one gets it.
        const auto count = ++of->shared->connections;
        const auto limit = of->config->limits.max_connections;
        has_room = limit < 0 || count <= limit;
        session.of = of;
        session.place = static_cast<std::uint32_t>(of->sessions.size());
        of->sessions.push_back(&session);
        ++of->total_connections;
        tell(session_event::type::joined, session);
    }
    apply_limits(session);
    set_permissions(session, identity != nullptr ? identity->permissions : nullptr);
    set_expiry(session, now);
    if (has_room) return true;
    end_as_excess(session);
    return false;
}

/// `ended` is for good; otherwise the session goes on.
void broker_state::leave_account(session& session, bool ended) {
    if (session.of == nullptr) return;
    if (!ended) routing.unsubscribe_all(session);
    const bool has_left = !ended || routing.leave(session);
    --session.of->shared->connections;
    auto& others = session.of->sessions;
    others.back()->place = session.place;
    others[session.place] = others.back();
    others.pop_back();
    tell(session_event::type::left, session);
    if (has_left) session.of = nullptr;
}

void broker_state::set_permissions(session& session,
                                   std::shared_ptr<const auth::permissions> rules) {
    session.delivery_flags &=
        static_cast<std::uint8_t>(~(delivery::filtered | delivery::grants_replies));
    session.permissions = rules ? std::make_unique<session_permissions>(std::move(rules)) : nullptr;
    if (session.permissions && session.permissions->grants_replies()) {
        session.delivery_flags |= delivery::grants_replies;
    }
    update_shortcuts(session);
}

void broker_state::update_shortcuts(session& session) {
    session.publishes_plainly = session.permissions == nullptr && !session.verbose;
}

void broker_state::apply_limits(session& session) {
    session.max_payload_bytes = config->max_payload_bytes;
    session.max_subscriptions = config->max_subscriptions == 0 ? -1 : config->max_subscriptions;
    if (session.of == nullptr) return;
    const auto& limits = session.of->config->limits;
    session.max_payload_bytes = smaller_limit(session.max_payload_bytes, limits.max_payload_bytes);
    session.max_subscriptions = smaller_limit(session.max_subscriptions, limits.max_subscriptions);
    const auto& user = session.details->identity;
    if (user == nullptr) return;
    session.max_payload_bytes = smaller_limit(session.max_payload_bytes, user->max_payload_bytes);
    session.max_subscriptions = smaller_limit(session.max_subscriptions, user->max_subscriptions);
}

/// When the session ends because its user's or its account's time is over.
void broker_state::set_expiry(session& session, moment now) {
    session.login_expires = {};
    if (session.of == nullptr) return;
    const auto& user = session.details->identity;
    for (const auto& expires :
         {user != nullptr ? user->expires : std::nullopt, session.of->config->expires}) {
        if (!expires) continue;
        // What is far away is looked at again: the wall clock may be set meanwhile.
        const auto left = std::min<nanoseconds>(*expires - now.wall, std::chrono::hours(24));
        const auto at = now.steady + left;
        if (session.login_expires == steady_time{} || at < session.login_expires) {
            session.login_expires = at;
        }
    }
}

void broker_state::expire_login(session& session, moment now) {
    const auto is_over = [&](const std::optional<wall_time>& expires) {
        return expires && *expires <= now.wall;
    };
    const auto& user = session.details->identity;
    std::string_view text;
    if (user != nullptr && is_over(user->expires)) {
        text = texts::user_authentication_expired;
    } else if (session.of != nullptr && is_over(session.of->config->expires)) {
        text = texts::account_authentication_expired;
    }
    if (!text.empty()) {
        log(log_level::debug, session, with_account_and_user(text, session));
        return out.end_with_error(session, text, close_reason::authentication_expired);
    }
    set_expiry(session, now);
    reschedule(session);
}

} // namespace pipit::broker
