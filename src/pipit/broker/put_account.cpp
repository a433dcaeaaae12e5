// SPDX-License-Identifier: Apache-2.0
// An account that comes, or changes, while its sessions live.
#include <pipit/broker/account_update.hpp>
#include <pipit/broker/session_log.hpp>
#include <pipit/broker/state.hpp>

#include <pipit/protocol/error_texts.hpp>

#include <vector>

namespace pipit::broker {

namespace texts = protocol::error_texts;

void broker::put_account(const account_update& update, moment now) {
    auto& state = *state_;
    const auto id = update.config->id;
    state.routing.put_account(update.config);
    auto* const of = state.routing.find_account(id);
    if (of == nullptr) return;

    auto sessions = of->sessions;
    std::erase_if(sessions, [](const auto* session) { return session->ended(); });
    for (auto* session : sessions) state.routing.renew_aliases(*session);
    of->imports_changed = false;
    const auto judge = update.judge; // This loop's own.
    for (auto* session : sessions) state.apply_account(*session, judge, now);
    state.settle(now);
}

void broker_state::apply_account(session& session, const session_judge& judge, moment now) {
    auto& identity = session.details->identity;
    session_verdict verdict;
    if (judge && identity != nullptr) {
        verdict = judge(*identity, session.details->origin, now.wall);
    }
    using enum session_verdict::fate;
    switch (verdict.what) {
    case stays: break;
    case is_refused: return refuse_login(session);
    case is_revoked:
        log(log_level::debug, session,
            with_account_and_user(texts::user_authentication_revoked, session));
        return out.end_with_error(session, texts::user_authentication_revoked,
                                  close_reason::credentials_revoked);
    case has_lost_its_signer: return out.end(session, close_reason::authentication_failure);
    case account_is_gone:
        log(log_level::debug, session,
            with_account_and_user(texts::account_authentication_expired, session));
        return out.end_with_error(session, texts::account_authentication_expired,
                                  close_reason::authentication_expired);
    }
    if (verdict.user != nullptr) {
        if (config->live_permissions) return change_user(session, verdict.user, now);
        identity = verdict.user;
        change_permissions(session, identity->permissions);
    }
    apply_limits(session);
    if (end_when_full(session)) return;
    set_expiry(session, now);
    reschedule(session);
}

} // namespace pipit::broker
