// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/match_cache.hpp>

namespace pipit::broker {

match_cache::match_cache() : entries_(entries_max), missed_once_(entries_max) {}

void match_cache::enable(bool enabled) noexcept {
    enabled_ = enabled;
    if (enabled) return;
    last_ = nullptr;
    for (auto& slot : entries_) slot.reset();
    size_ = 0;
}

const match_result& match_cache::find_in_table(account& account, bytes_view subject) {
    const auto hash = account.index.hash(subject);
    auto& slot = entries_[hash % entries_max];
    if (slot && slot->of == &account && slot->subject == subject) {
        last_ = slot.get();
        if (slot->generation != account.index.generation()) {
            ++misses_;
            slot->result.clear();
            account.index.match(subject, slot->result);
            slot->generation = account.index.generation();
        } else {
            ++hits_;
        }
        return slot->result;
    }

    ++misses_;
    uncached_.clear();
    account.index.match(subject, uncached_);
    const auto mark = static_cast<std::uint32_t>(hash >> 32) | 1;
    auto& missed_once = missed_once_[hash % entries_max];
    if (!enabled_ || missed_once != mark ||
        uncached_.plain.size() + uncached_.groups.size() > targets_max) {
        missed_once = mark;
        return uncached_;
    }
    if (!slot) {
        slot = std::make_unique<entry>();
        ++size_;
    }
    slot->of = &account;
    slot->generation = account.index.generation();
    slot->subject = subject;
    slot->result = uncached_;
    last_ = slot.get();
    return slot->result;
}

void match_cache::drop(const account& account, bytes_view subject, std::uint64_t hash) noexcept {
    auto& slot = entries_[hash % entries_max];
    if (slot && slot->of == &account && slot->subject == subject) slot->generation = 0;
}

void match_cache::drop(const account& account) noexcept {
    for (auto& slot : entries_) {
        if (slot && slot->of == &account) slot->generation = 0;
    }
}

} // namespace pipit::broker
