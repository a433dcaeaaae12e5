// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace pipit::server {

/// A queue in which each address that waits has its turn, so that whoever asks very often from one
/// address delays himself. Bounded by whoever fills it.
template <class Item>
class fair_queue {
public:
    void push(const std::string& address, Item item) {
        by_address_[address].push_back(std::move(item));
    }
    [[nodiscard]] std::size_t waiting_of(const std::string& address) const {
        const auto found = by_address_.find(address);
        return found == by_address_.end() ? 0 : found->second.size();
    }

    /// The oldest of the address after the one that had its turn; nothing: there is none.
    [[nodiscard]] std::optional<Item> take() {
        if (by_address_.empty()) return std::nullopt;
        auto turn = by_address_.upper_bound(last_address_);
        if (turn == by_address_.end()) turn = by_address_.begin();
        last_address_ = turn->first;
        std::optional<Item> next(std::move(turn->second.front()));
        turn->second.pop_front();
        if (turn->second.empty()) by_address_.erase(turn);
        return next;
    }

private:
    std::map<std::string, std::deque<Item>> by_address_;
    std::string last_address_;
};

} // namespace pipit::server
