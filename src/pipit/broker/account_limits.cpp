// SPDX-License-Identifier: Apache-2.0
// Who ends when an account may have less than it has.
#include <pipit/broker/state.hpp>

#include <pipit/protocol/error_texts.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pipit::broker {

namespace texts = protocol::error_texts;

std::vector<session*> sessions_by_age(const account& of) {
    auto sessions = of.sessions;
    std::erase_if(sessions, [](const auto* session) { return session->ended(); });
    std::ranges::sort(sessions, {}, &session::client_id);
    return sessions;
}

std::size_t excess_of(const account& of) {
    const auto limit = of.config->limits.max_connections;
    if (limit < 0) return 0;
    return static_cast<std::size_t>(std::max<std::int64_t>(of.shared->connections - limit, 0));
}

void broker_state::end_as_excess(session& session) {
    log(log_level::error, session, texts::max_account_connections);
    out.end_with_error(session, texts::max_account_connections,
                       close_reason::max_account_connections_exceeded);
}

void broker_state::end_excess(moment now) {
    std::vector<const account*> too_full;
    for (const auto& [id, of] : routing.accounts()) {
        if (excess_of(*of) != 0) too_full.push_back(of.get());
    }
    for (const auto* const of : too_full) {
        auto members = sessions_by_age(*of);
        // One after the other: other loops end theirs in the same moment.
        for (; !members.empty() && excess_of(*of) != 0; members.pop_back()) {
            end_as_excess(*members.back());
            settle(now);
        }
    }
}

bool broker_state::end_when_full(session& session) {
    if (session.max_subscriptions < 0 ||
        static_cast<std::int64_t>(session.subscriptions.size()) < session.max_subscriptions) {
        return false;
    }
    out.end_with_error(session, texts::max_subscriptions, close_reason::max_subscriptions_exceeded);
    return true;
}

} // namespace pipit::broker
