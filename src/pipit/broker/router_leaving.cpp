// SPDX-License-Identifier: Apache-2.0
// Sessions that have ended with so many subscriptions that these go a part at a time. Whoever looks
// for receivers passes by what is left of them, as of any session that has ended.
#include <pipit/broker/router.hpp>

#include <pipit/base/closing_limits.hpp>

#include <algorithm>
#include <utility>

namespace pipit::broker {

bool router::leave(session& session) {
    const bool logs = (session.delivery_flags & delivery::traced) != 0 && log_unsubscribe;
    const auto count = session.subscriptions.size();
    if (count <= ended_at_a_time_ || logs) {
        unsubscribe_all(session);
        return true;
    }
    // Nobody counts them any more.
    session.of->subscriptions -= count;
    session.of->removes += count;
    leaving_subscriptions_ += count;
    while (leaving_.size() > 0 && leaving_subscriptions_ > limits::subscriptions_leaving) {
        go_on_leaving();
    }
    leaving_.push_back({.who = &session, .slots_done = 0, .kept = nullptr});
    return false;
}

void router::keep_while_leaving(std::unique_ptr<session>& session) {
    if (session->of == nullptr) return; // It has left.
    // It has most probably just come.
    const auto found = std::find_if(leaving_.rbegin(), leaving_.rend(),
                                    [&](const auto& each) { return each.who == session.get(); });
    if (found != leaving_.rend()) found->kept = std::move(session);
}

bool router::go_on_leaving(leaving_session& next) {
    auto& subscriptions = next.who->subscriptions;
    auto& of = *next.who->of;
    const auto begin = next.slots_done;
    next.slots_done += ended_at_a_time_;
    subscriptions.for_slots(begin, ended_at_a_time_, [&](subscription& each) {
        discard(of, each);
        --leaving_subscriptions_;
    });
    if (next.slots_done < subscriptions.capacity()) return false;
    subscriptions = {};
    next.who->of = nullptr;
    return true;
}

void router::go_on_leaving() {
    if (!leaving_.empty() && go_on_leaving(leaving_.front())) leaving_.pop_front();
}

void router::finish_leaving() {
    while (!leaving_.empty()) go_on_leaving();
}

/// Those that the change of an account may concern: its own, and those with imports of others.
void router::finish_leaving(account_id changed) {
    std::erase_if(leaving_, [&](leaving_session& each) {
        const auto& of = *each.who->of;
        if (of.config->id != changed && of.config->stream_imports.empty()) return false;
        while (!go_on_leaving(each)) {
        }
        return true;
    });
}

} // namespace pipit::broker
