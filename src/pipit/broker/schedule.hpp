// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pipit::broker {

/// When sessions want to be looked at. A deadline that moves back is not taken out: its session is
/// looked at for nothing once, and says when again. Whoever adds them clears the schedule when
/// there are too many, and begins it anew.
class schedule {
public:
    /// Beyond two a session there are too many.
    static constexpr std::size_t needless_max = 1024;

    struct entry {
        steady_time at;
        std::uint64_t client_id;
    };

    void add(steady_time at, std::uint64_t client_id) {
        entries_.push_back({at, client_id});
        std::push_heap(entries_.begin(), entries_.end(), later);
    }

    void clear() noexcept { entries_.clear(); }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

    [[nodiscard]] std::optional<steady_time> next() const noexcept {
        if (entries_.empty()) return std::nullopt;
        return entries_.front().at;
    }

    /// Takes the earliest entry that is due.
    [[nodiscard]] std::optional<entry> take_due(steady_time now) {
        if (entries_.empty() || entries_.front().at > now) return std::nullopt;
        std::pop_heap(entries_.begin(), entries_.end(), later);
        const auto due = entries_.back();
        entries_.pop_back();
        return due;
    }

private:
    static bool later(const entry& a, const entry& b) noexcept { return a.at > b.at; }

    std::vector<entry> entries_;
};

} // namespace pipit::broker
