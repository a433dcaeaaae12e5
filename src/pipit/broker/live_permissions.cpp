// SPDX-License-Identifier: Apache-2.0
// What a session may do changes while it is open (docs/adr/016-live-permissions.md).
#include <pipit/broker/state.hpp>

#include <pipit/base/identity_limits.hpp>
#include <pipit/protocol/error_texts.hpp>
#include <pipit/protocol/go_text.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace pipit::broker {

namespace texts = protocol::error_texts;

/// Obeys what holds of its user from now on. The session stays in its account.
void broker_state::change_user(session& session, user_pointer user, moment now) {
    auto& identity = session.details->identity;
    identity = std::move(user);
    apply_limits(session);
    change_permissions(session, identity != nullptr ? identity->permissions : nullptr);
    if (session.max_subscriptions >= 0 &&
        static_cast<std::int64_t>(session.subscriptions.size()) > session.max_subscriptions) {
        return out.end_with_error(session, texts::max_subscriptions,
                                  close_reason::max_subscriptions_exceeded);
    }
    set_expiry(session, now);
    reschedule(session);
}

/// Subscriptions that are allowed no longer end, and what was decided before is forgotten.
void broker_state::change_permissions(session& session,
                                      std::shared_ptr<const auth::permissions> rules) {
    const auto* const old_rules = session.permissions ? &session.permissions->rules() : nullptr;
    if (rules.get() == old_rules || (rules && old_rules && *rules == *old_rules)) return;
    const auto before = std::move(session.permissions);
    set_permissions(session, std::move(rules));
    if (session.permissions == nullptr) return;
    // Who was asked before may answer, as if it had been asked now.
    if (config->live_permissions && before) session.permissions->take_granted_replies(*before);
    withdraw_subscriptions(session);
}

/// Drops what the permissions no longer allow, and says so: as a reload of nats-server does, or in
/// the words that a subscription would hear now.
void broker_state::withdraw_subscriptions(session& session) {
    const auto& rules = session.permissions->rules();
    std::vector<subscription*> withdrawn;
    session.subscriptions.for_each([&](subscription& each) {
        if (!rules.may_subscribe(each.subject(), each.queue())) {
            withdrawn.push_back(&each);
        } else if (rules.needs_delivery_filter(each.subject())) {
            session.delivery_flags |= delivery::filtered;
        }
    });
    for (auto* each : withdrawn) {
        const auto subject = each->subject();
        out.send_error(session,
                       config->live_permissions
                           ? texts::subscription_violation(subject, each->queue())
                           : texts::subscription_withdrawn(subject, each->queue(), each->sid()));
        std::string line = "Removed subscription - Subject ";
        protocol::append_quoted(line, subject);
        log(log_level::debug, session, line.append(", SID ").append(each->sid()));
        routing.unsubscribe(*each);
    }
}

// --- A newer JWT, in a second CONNECT ---

/// Nobody knows yet whether the JWT is good, and whose it is: subscriptions stay until then.
bool broker_state::brings_own_jwt(const session& session) const noexcept {
    const auto& identity = session.details->identity;
    return config->live_permissions && authorization_of(session).by_jwt && identity != nullptr &&
           !identity->nkey.empty() && !session.details->options.jwt.empty();
}

/// The same user of the same account, by a JWT that was judged like that of any login.
bool broker_state::goes_on_as(const session& session, const user_pointer& user) const noexcept {
    return brings_own_jwt(session) && session.of != nullptr && user != nullptr &&
           user->nkey == session.details->identity->nkey && user->account == session.of->id;
}

// --- A service that is asked again ---

/// Between two questions, as the service wants it: at most a month, and a bit earlier than that, so
/// that many who came at once are not asked about at once.
nanoseconds broker_state::until_next_refresh(nanoseconds interval) {
    const auto most = static_cast<std::uint32_t>(
        std::min<std::int64_t>(interval / std::chrono::milliseconds(8), 1'000'000));
    return interval - std::chrono::milliseconds(most == 0 ? 0 : routing.random().below(most));
}

void broker_state::begin_refreshes(session& session, std::unique_ptr<callout_check> about,
                                   const login_answer& answer, moment now) {
    session.refresh = nullptr;
    if (about == nullptr || !answer.accepted || answer.refresh_after <= nanoseconds::zero()) return;
    const auto interval = std::min<nanoseconds>(answer.refresh_after, limits::refresh_interval_max);
    session.refresh = std::make_unique<permission_refresh>();
    session.refresh->about = std::move(*about);
    session.refresh->interval = interval;
    session.refresh->at = now.steady + until_next_refresh(interval);
}

void broker_state::ask_again(session& session, moment now) {
    if (!config->live_permissions) {
        session.refresh = nullptr;
        return;
    }
    auto& refresh = *session.refresh;
    refresh.at = {};
    if (open_refreshes < limits::open_refreshes) {
        refresh.question = enqueue(session, {.what = refresh.about});
    }
    // Logins come first: it has its turn a bit later.
    if (refresh.question == 0)
        refresh.at = now.steady + until_next_refresh(std::chrono::seconds(1));
}

/// What a service has said about a session that it let in before.
void broker_state::on_refresh(session& session, std::uint64_t question_id, login_answer answer,
                              bool asked_under_this, moment now) {
    auto* const refresh = session.refresh.get();
    // It has logged in again meanwhile, or live permissions were switched off.
    if (refresh == nullptr || refresh->question != question_id) return;
    refresh->question = 0;
    // Who is let in is what the new configuration says: it is asked again at once.
    refresh->at =
        asked_under_this ? now.steady + until_next_refresh(refresh->interval) : now.steady;
    if (answer.undecided || !asked_under_this) return reschedule(session);
    out.touch(session);
    if (!answer.accepted || answer.user == nullptr) {
        if (!answer.why_not.empty()) log(answer.level, session, answer.why_not);
        return refuse_login(session, answer.reason);
    }
    // It connects again and finds its new account.
    if (answer.user->account != session.of->id)
        return out.end(session, close_reason::client_closed);
    begin_refreshes(session, std::make_unique<callout_check>(std::move(refresh->about)), answer,
                    now);
    session.details->user = session.details->options.user = answer.user->name;
    change_user(session, std::move(answer.user), now);
}

} // namespace pipit::broker
