// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/permissions.hpp>

#include <pipit/auth/detail/subject_set.hpp>
#include <pipit/protocol/subject.hpp>

#include <utility>

namespace pipit::auth {
namespace {

using detail::subject_set;

error invalid(std::string_view kind, std::string_view text) {
    std::string detail(kind);
    detail.append(" \"").append(text).append("\" is not a valid ").append(kind);
    return {errc::invalid_permission, std::move(detail)};
}

/// The first word of a text, and what comes behind it.
std::pair<std::string_view, std::string_view> cut_word(std::string_view text) {
    constexpr std::string_view blanks = " \t\n\v\f\r";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin);
    const auto end = text.find_first_of(blanks);
    if (end == std::string_view::npos) return {text, {}};
    return {text.substr(0, end), text.substr(end)};
}

result<> add_subjects(subject_set& set, const std::vector<std::string>& entries) {
    for (const auto& entry : entries) {
        if (!protocol::is_valid_subject(entry)) return invalid("subject", entry);
        set.insert(entry, {});
    }
    return {};
}

result<> add_subjects_and_queues(subject_set& set, const std::vector<std::string>& entries) {
    for (const auto& entry : entries) {
        if (protocol::is_valid_subject(entry)) {
            set.insert(entry, {});
            continue;
        }
        const auto [subject, behind_subject] = cut_word(entry);
        const auto [queue, behind_queue] = cut_word(behind_subject);
        if (queue.empty() || !cut_word(behind_queue).first.empty()) {
            return invalid("subject", entry);
        }
        if (!protocol::is_valid_subject(subject)) return invalid("subject", subject);
        if (!protocol::is_valid_subject(queue)) return invalid("queue", queue);
        set.insert(subject, queue);
    }
    return {};
}

} // namespace

struct permissions::rules {
    subject_set publish_allow;
    subject_set publish_deny;
    subject_set subscribe_allow;
    subject_set subscribe_deny;
    bool publish_limited = false;   ///< Only what `publish_allow` holds.
    bool subscribe_limited = false; ///< Only what `subscribe_allow` holds.
};

permissions::permissions(permission_lists lists)
    : lists_(std::move(lists)), rules_(std::make_unique<rules>()) {}

permissions::~permissions() = default;

result<std::shared_ptr<const permissions>> permissions::make(permission_lists lists) {
    if (lists.allow_responses) {
        auto& responses = *lists.allow_responses;
        if (responses.max == 0) responses.max = response_permission{}.max;
        if (responses.expires.count() == 0) responses.expires = response_permission{}.expires;
    }
    const std::shared_ptr<permissions> made(new permissions(std::move(lists)));
    const auto& written = made->lists_;
    auto& rules = *made->rules_;
    rules.publish_limited = !written.publish_allow.empty() || written.allow_responses;
    rules.subscribe_limited = !written.subscribe_allow.empty();
    for (const auto& [set, entries] : {std::pair(&rules.publish_allow, &written.publish_allow),
                                       std::pair(&rules.publish_deny, &written.publish_deny)}) {
        if (auto added = add_subjects(*set, *entries); !added) return added.error();
    }
    for (const auto& [set, entries] : {std::pair(&rules.subscribe_allow, &written.subscribe_allow),
                                       std::pair(&rules.subscribe_deny, &written.subscribe_deny)}) {
        if (auto added = add_subjects_and_queues(*set, *entries); !added) return added.error();
    }
    return made;
}

bool permissions::may_publish(std::string_view subject) const noexcept {
    if (rules_->publish_limited && !rules_->publish_allow.match(subject, {}).plain) return false;
    return rules_->publish_deny.empty() || !rules_->publish_deny.match(subject, {}).plain;
}

bool permissions::may_subscribe(std::string_view subject, std::string_view queue) const noexcept {
    if (rules_->subscribe_limited) {
        const auto allow = rules_->subscribe_allow.match(subject, queue);
        if (!(allow.any_queue ? allow.queue : allow.plain)) return false;
    }
    return !denies_delivery(subject, queue);
}

bool permissions::needs_delivery_filter(std::string_view subject) const noexcept {
    return !protocol::is_literal(subject) && rules_->subscribe_deny.collides(subject);
}

bool permissions::denies_delivery(std::string_view subject, std::string_view queue) const noexcept {
    if (rules_->subscribe_deny.empty()) return false;
    const auto deny = rules_->subscribe_deny.match(subject, queue);
    return deny.plain || deny.queue;
}

} // namespace pipit::auth
