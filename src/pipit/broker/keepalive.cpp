// SPDX-License-Identifier: Apache-2.0
// What time brings to a session: pings, deadlines, the end of a stall.
#include <pipit/broker/session_log.hpp>
#include <pipit/broker/state.hpp>

#include <pipit/protocol/error_texts.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace pipit::broker {
namespace {

/// A round trip older than this is measured again.
constexpr nanoseconds round_trip_valid = std::chrono::hours(1);

/// `1h2m3s`, to the nearest second, as Go writes it.
std::string seconds_text(nanoseconds duration) {
    const auto seconds = std::chrono::round<std::chrono::seconds>(duration).count();
    std::string text;
    if (seconds >= 3600) text += std::to_string(seconds / 3600) + 'h';
    if (seconds >= 60) text += std::to_string(seconds / 60 % 60) + 'm';
    return text + std::to_string(seconds % 60) + 's';
}

} // namespace

void broker_state::wake_at(session& session, steady_time at) {
    if (session.wakes_at != steady_time{} && session.wakes_at <= at) return;
    session.wakes_at = at;
    deadlines.add(at, session.client_id);
}

/// As nats-server: only of the longest, and once a second whoever they are.
void broker_state::tell_of_stall(const session& session, moment now) {
    using std::chrono::milliseconds;
    const auto stall = session.stalled_until - now.steady;
    if (stall < limits::stall_max || now.steady < stall_told_again_at) return;
    stall_told_again_at = now.steady + std::chrono::seconds(1);
    const auto whole = std::chrono::round<milliseconds>(stall).count();
    log(log_level::warning, session,
        with_account_and_user("Producer was stalled for a total of " + std::to_string(whole) + "ms",
                              session));
}

void broker_state::reschedule(session& session) {
    if (session.ended()) { // Only its last bytes may still go.
        if (session.write_deadline != steady_time{}) wake_at(session, session.write_deadline);
        return;
    }
    steady_time earliest{};
    const auto refresh_at = session.refresh ? session.refresh->at : steady_time{};
    for (const auto deadline :
         {session.auth_deadline, session.ping_deadline, session.write_deadline,
          session.stalled_until, session.login_expires, refresh_at}) {
        if (deadline == steady_time{}) continue;
        if (earliest == steady_time{} || deadline < earliest) earliest = deadline;
    }
    if (earliest != steady_time{}) wake_at(session, earliest);
}

/// A stall leaves the entry of the deadline behind it, and asks for that again when it is over.
void broker_state::tidy_deadlines() {
    if (deadlines.size() <= 2 * sessions.size() + schedule::needless_max) return;
    deadlines.clear();
    for (auto& [id, each] : sessions) {
        each->wakes_at = {};
        reschedule(*each);
    }
}

void broker_state::on_due(session& session, moment now) {
    const auto is_due = [&](steady_time deadline) {
        return deadline != steady_time{} && deadline <= now.steady;
    };
    if (is_due(session.write_deadline)) on_write_deadline(session, now);
    if (session.ended()) return reschedule(session);
    if (is_due(session.stalled_until)) {
        session.stalled_until = {};
        const auto waits_for = std::exchange(session.full_loops, 0);
        session.wait_for_loops(waits_for & peers.full_loops(), now.steady);
        if (session.stalled_until == steady_time{}) out.touch(session);
    }
    if (is_due(session.auth_deadline)) {
        session.auth_deadline = {};
        if (session.awaiting_callout) {
            log(log_level::debug, session, "Authorization callout response not received in time");
            return refuse_login(session);
        }
        log(log_level::debug, session, protocol::error_texts::authentication_timeout);
        out.end_with_error(session, protocol::error_texts::authentication_timeout,
                           close_reason::authentication_timeout);
        return;
    }
    // A ping looks at it too: the wall clock was set, or the machine slept, which no deadline
    // knows.
    const bool has_end = session.login_expires != steady_time{};
    if (is_due(session.login_expires) || (has_end && is_due(session.ping_deadline))) {
        expire_login(session, now);
        if (session.ended()) return;
    }
    if (session.refresh && is_due(session.refresh->at)) ask_again(session, now);
    if (is_due(session.ping_deadline)) on_ping_due(session, now);
    if (!session.ended()) reschedule(session);
}

/// Source: client-protocol, section 8.
void broker_state::on_ping_due(session& session, moment now) {
    const auto interval = config->ping_interval_for(session.details->origin.is_websocket);
    log(log_level::debug, session, "Client Ping Timer");
    session.ping_deadline = now.steady + interval;
    // What CONNECT took is a guess: a real round trip is measured soon after.
    const bool round_trip_known =
        session.ping_sent != steady_time{} && now.steady - session.ping_sent <= round_trip_valid;
    const auto silence = now.steady - session.last_input;
    if (silence < interval && round_trip_known) {
        if (log_to.debug_enabled()) {
            log(log_level::debug, session,
                "Delaying PING due to remote client data or ping " + seconds_text(silence) +
                    " ago");
        }
        return;
    }
    if (session.pings_out + 1 > config->ping_max) {
        log(log_level::debug, session, "Stale Client Connection - Closing");
        out.end_with_error(session, protocol::error_texts::stale_connection,
                           close_reason::stale_connection);
        return;
    }
    ++session.pings_out;
    session.ping_sent = now.steady;
    if ((session.delivery_flags & delivery::traced) != 0) trace_out(session, "PING");
    out.send(session, "PING\r\n");
}

} // namespace pipit::broker
