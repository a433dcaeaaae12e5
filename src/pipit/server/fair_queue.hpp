// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace pipit::server {

/// A queue in which everybody who waits has a turn, so that whoever asks very often delays nobody
/// but himself. `Who` is the `party` that asks, or its account. Bounded by whoever fills it.
template <class Who, class Item>
class fair_queue {
public:
    void push(const Who& of, Item item) { waiting_[of].push_back(std::move(item)); }
    [[nodiscard]] std::size_t waiting_of(const Who& one) const {
        const auto found = waiting_.find(one);
        return found == waiting_.end() ? 0 : found->second.size();
    }

    /// The oldest of the one after whoever had the last turn; nothing: there is none.
    [[nodiscard]] std::optional<Item> take() {
        if (waiting_.empty()) return std::nullopt;
        auto turn = waiting_.upper_bound(last_);
        if (turn == waiting_.end()) turn = waiting_.begin();
        last_ = turn->first;
        std::optional<Item> next(std::move(turn->second.front()));
        turn->second.pop_front();
        if (turn->second.empty()) waiting_.erase(turn);
        return next;
    }

private:
    std::map<Who, std::deque<Item>> waiting_;
    Who last_{};
};

} // namespace pipit::server
