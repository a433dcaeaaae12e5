// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/service_responses.hpp>

#include <pipit/base/assert.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>

namespace pipit::broker {

void service_responses::add(service_response response, steady_time now) {
    const auto [added, is_new] = by_subject_.try_emplace(std::move(response.subject));
    PIPIT_ASSERT(is_new);
    auto& [subject, its] = *added;
    its.response = std::move(response);
    its.deadline = deadlines_.emplace(now + its.response.threshold(), &subject);
    its.waits = by_reply_[its.response.importer].emplace(its.response.reply, &subject);
}

service_response* service_responses::find(bytes_view subject) noexcept {
    const auto found = by_subject_.find(subject);
    return found == by_subject_.end() ? nullptr : &found->second.response;
}

void service_responses::renew(bytes_view subject, steady_time now) {
    const auto found = by_subject_.find(subject);
    if (found == by_subject_.end()) return;
    auto& its = found->second;
    auto moved = deadlines_.extract(its.deadline);
    moved.key() = now + its.response.threshold();
    its.deadline = deadlines_.insert(std::move(moved));
}

std::optional<service_response> service_responses::take(bytes_view subject) {
    const auto found = by_subject_.find(subject);
    if (found == by_subject_.end()) return std::nullopt;
    auto taken = by_subject_.extract(found);
    auto& [response, deadline, waits] = taken.mapped();
    deadlines_.erase(deadline);
    const auto replies = by_reply_.find(response.importer);
    replies->second.erase(waits);
    if (replies->second.empty()) by_reply_.erase(replies);
    response.subject = std::move(taken.key());
    return std::move(response);
}

std::vector<std::string> service_responses::waiting_for(account_id importer,
                                                        bytes_view reply) const {
    std::vector<std::string> subjects;
    const auto replies = by_reply_.find(importer);
    if (replies == by_reply_.end()) return subjects;
    if (protocol::is_literal(reply)) {
        const auto [first, last] = replies->second.equal_range(reply);
        for (auto each = first; each != last; ++each) subjects.push_back(*each->second);
        return subjects;
    }
    std::size_t scanned = 0;
    for (const auto& [wanted, subject] : replies->second) {
        if (++scanned > limits::pending_responses_scanned) break;
        if (protocol::subject_matches(reply, wanted)) subjects.push_back(*subject);
    }
    return subjects;
}

std::optional<steady_time> service_responses::next_deadline() const noexcept {
    if (deadlines_.empty()) return std::nullopt;
    return deadlines_.begin()->first;
}

std::optional<service_response> service_responses::take_due(steady_time now) {
    if (deadlines_.empty()) return std::nullopt;
    const auto& [at, subject] = *deadlines_.begin();
    if (at <= now) return take(*subject);
    if (by_subject_.size() <= most_) return std::nullopt;
    const auto most = std::ranges::max_element(
        by_reply_, {}, [](const auto& replies) { return replies.second.size(); });
    return take(*most->second.begin()->second);
}

} // namespace pipit::broker
