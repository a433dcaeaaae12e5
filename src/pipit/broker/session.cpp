// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/session.hpp>

#include <pipit/base/limits.hpp>

#include <algorithm>
#include <charconv>

namespace pipit::broker {

std::uint64_t session::sid_hash(bytes_view sid) const noexcept {
    std::uint32_t number = 0;
    const auto end = sid.data() + sid.size();
    if (const auto read = std::from_chars(sid.data(), end, number);
        read.ec != std::errc() || read.ptr != end) {
        return hash_bytes(sid, hash_seed);
    }
    // Neighbours share the cache lines of their slots; where those are, the seed decides. More of
    // them would also be pushed further where two such groups meet.
    constexpr std::uint32_t neighbours = 8;
    const auto group = number / neighbours;
    const auto group_hash =
        hash_bytes({reinterpret_cast<const char*>(&group), sizeof group}, hash_seed);
    return group_hash * neighbours + number % neighbours;
}

void session::wait_for_loops(std::uint64_t full, steady_time now) noexcept {
    if (full == 0) return;
    full_loops |= full;
    stalled_until = std::max(stalled_until, now + limits::full_peer_stall);
}

bool session_permissions::may_publish(bytes_view subject, std::uint64_t hash_seed,
                                      steady_time now) {
    const auto& known = decision_about(subject, hash_seed);
    last_ = &known;
    if (known.allowed || granted_replies_.empty()) return known.allowed;

    const auto granted = granted_replies_.find(subject);
    if (granted == granted_replies_.end()) return false;
    const bool spent = is_spent(granted->second, now);
    if (spent) {
        granted_replies_.erase(granted);
    } else {
        ++granted->second.used;
    }
    return !spent;
}

const session_permissions::decision& session_permissions::decision_about(bytes_view subject,
                                                                         std::uint64_t hash_seed) {
    const auto hash = hash_bytes(subject, hash_seed);
    if (!decisions_.empty()) {
        const auto& known = decisions_[hash % decisions_.size()];
        if (known.subject == subject) return known;
    }
    // Most publish to a few subjects. Whoever has missed as often as there are slots needs more.
    if (++misses_ > decisions_.size() && decisions_.size() < limits::publish_decisions) {
        const auto slots = decisions_.empty() ? 4 : decisions_.size() * 2;
        decisions_ = std::vector<decision>(slots);
        misses_ = 0;
    }
    auto& taken = decisions_[hash % decisions_.size()];
    taken.subject = subject;
    taken.allowed = rules_->may_publish(subject);
    return taken;
}

void session_permissions::grant_reply(bytes_view reply, steady_time now) {
    if (rules_->may_publish(reply)) return;
    if (granted_replies_.size() >= limits::granted_replies) {
        std::erase_if(granted_replies_,
                      [&](const auto& each) { return is_spent(each.second, now); });
        // All are still good: the peer asks more than it answers, so it loses any of them.
        if (granted_replies_.size() >= limits::granted_replies) {
            granted_replies_.erase(granted_replies_.begin());
        }
    }
    granted_replies_[std::string(reply)] = {now, 0};
}

void session_permissions::take_granted_replies(session_permissions& before) {
    if (grants_replies()) granted_replies_ = std::move(before.granted_replies_);
}

bool session_permissions::is_spent(const granted_reply& reply, steady_time now) const noexcept {
    const auto& allowed = *rules_->allow_responses();
    return (allowed.max > 0 && reply.used >= allowed.max) ||
           (allowed.expires > nanoseconds::zero() && now - reply.since > allowed.expires);
}

} // namespace pipit::broker
