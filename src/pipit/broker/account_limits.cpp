// SPDX-License-Identifier: Apache-2.0
// Who ends when an account may have less than it has.
#include <pipit/broker/state.hpp>

#include <pipit/protocol/error_texts.hpp>

#include <cstdint>

namespace pipit::broker {

namespace texts = protocol::error_texts;

void broker_state::end_as_excess(session& session) {
    log(log_level::error, session, texts::max_account_connections);
    out.end_with_error(session, texts::max_account_connections,
                       close_reason::max_account_connections_exceeded);
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
