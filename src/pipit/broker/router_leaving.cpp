// SPDX-License-Identifier: Apache-2.0
// Sessions that have ended with so many subscriptions that these go a part at a time. Whoever looks
// for receivers passes by what is left of them, as of any session that has ended.
#include <pipit/base/closing_limits.hpp>
#include <pipit/broker/router.hpp>

#include <utility>

namespace pipit::broker {

bool router::leave(session& session) {
    const bool logs = (session.delivery_flags & delivery::traced) != 0 && log_unsubscribe;
    const auto count = session.subscriptions.size();
    if (count <= limits::subscriptions_ended_at_a_time || logs) {
        unsubscribe_all(session);
        return true;
    }
    // Nobody counts them any more.
    session.of->subscriptions -= count;
    session.of->removes += count;
    leaving_.push_back({.who = &session, .slots_done = 0, .kept = nullptr});
    return false;
}

void router::keep_while_leaving(std::unique_ptr<session>& session) {
    for (auto& each : leaving_) {
        if (each.who == session.get()) {
            each.kept = std::move(session);
            return;
        }
    }
}

void router::go_on_leaving() {
    if (leaving_.empty()) return;
    auto& next = leaving_.front();
    auto& subscriptions = next.who->subscriptions;
    auto& of = *next.who->of;
    const auto begin = next.slots_done;
    next.slots_done += limits::subscriptions_ended_at_a_time;
    subscriptions.for_slots(begin, limits::subscriptions_ended_at_a_time,
                            [&](subscription& each) { discard(of, each); });
    if (next.slots_done < subscriptions.capacity()) return;
    subscriptions = {};
    next.who->of = nullptr;
    leaving_.pop_front();
}

void router::finish_leaving() {
    while (!leaving_.empty()) go_on_leaving();
}

} // namespace pipit::broker
