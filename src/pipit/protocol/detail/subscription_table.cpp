// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/detail/subscription_table.hpp>

#include <pipit/protocol/go_text.hpp>

namespace pipit::protocol::detail {
namespace {

/// Servers quote what cannot be printed.
bool is_called(const std::string& subject, bytes_view text) {
    if (subject == text) return true;
    if (text.find('\\') == bytes_view::npos) return false;
    const auto as_quoted = quoted(subject);
    return bytes_view(as_quoted).substr(1, as_quoted.size() - 2) == text;
}

} // namespace

subscription_record& subscription_table::add(bytes_view subject, bytes_view queue) {
    const sid id{next_sid_++};
    auto& added = records_[id];
    added.id = id;
    added.subject = subject;
    added.queue = queue;
    added.before = last_;
    (last_ == nullptr ? first_ : last_->after) = &added;
    last_ = &added;
    if (next_refused_ == nullptr) next_refused_ = &added;
    return added;
}

subscription_record* subscription_table::find(sid id) noexcept {
    if (last_found_ != nullptr && last_found_->id == id) return last_found_;
    const auto found = records_.find(id);
    return found == records_.end() ? nullptr : last_found_ = &found->second;
}

const subscription_record* subscription_table::find(sid id) const noexcept {
    const auto found = records_.find(id);
    return found == records_.end() ? nullptr : &found->second;
}

void subscription_table::erase(subscription_record& ended) noexcept {
    if (last_found_ == &ended) last_found_ = nullptr;
    if (next_refused_ == &ended) next_refused_ = ended.after;
    (ended.before == nullptr ? first_ : ended.before->after) = ended.after;
    (ended.after == nullptr ? last_ : ended.after->before) = ended.before;
    records_.erase(ended.id);
}

subscription_record* subscription_table::find_refused(bytes_view subject,
                                                      bytes_view queue) noexcept {
    const auto search = [&](subscription_record* from, const subscription_record* end) {
        while (from != end && !(from->queue == queue && is_called(from->subject, subject))) {
            from = from->after;
        }
        return from;
    };
    auto* found = search(next_refused_, nullptr);
    if (found == nullptr) {
        found = search(first_, next_refused_);
        if (found == next_refused_) return nullptr;
    }
    next_refused_ = found;
    return found;
}

std::vector<sid> subscription_table::ids() const {
    std::vector<sid> out;
    out.reserve(records_.size());
    for (const auto* each = first_; each != nullptr; each = each->after) out.push_back(each->id);
    return out;
}

} // namespace pipit::protocol::detail
