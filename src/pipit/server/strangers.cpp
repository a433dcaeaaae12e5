// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/strangers.hpp>

#include <pipit/base/stranger_limits.hpp>

#include <iterator>

namespace pipit::server {

strangers::strangers(std::size_t most_bytes, std::function<void()> too_much)
    : most_bytes_(most_bytes), too_much_(std::move(too_much)) {}

strangers::~strangers() = default;

strangers::crowd& strangers::crowd_of(party of) {
    auto& found = crowds_[of];
    if (!found.stays.empty()) return found;
    found.of = of;
    found.order = next_order_--;
    ranks_.emplace(std::pair(found.bytes, found.order), &found);
    return found;
}

void strangers::count(crowd& of, std::size_t before, std::size_t after) {
    bytes_ += after - before;
    auto rank = ranks_.extract({of.bytes, of.order});
    of.bytes += after - before;
    rank.key().first = of.bytes;
    ranks_.insert(std::move(rank));
}

std::size_t strangers::make_room() {
    std::size_t turned_away = 0;
    while (bytes_ > most_bytes_) {
        auto& longest = *std::prev(ranks_.end())->second->stays.front();
        // It may be gone before its function has returned.
        const auto turn_away = std::move(longest.turn_away_);
        longest.leave();
        turn_away();
        ++turned_away;
    }
    return turned_away;
}

strangers::stay::stay(strangers& among, party of, std::function<void()> turn_away)
    : among_(&among), of_(&among.crowd_of(of)), turn_away_(std::move(turn_away)) {
    place_ = of_->stays.insert(of_->stays.end(), this);
    keeps(0);
}

strangers::stay::~stay() { leave(); }

void strangers::stay::keeps(std::size_t bytes) {
    if (among_ == nullptr) return;
    const auto counted = bytes + limits::stranger_bytes_min;
    if (counted == bytes_) return;
    among_->count(*of_, std::exchange(bytes_, counted), counted);
    if (among_->bytes_ > among_->most_bytes_) among_->too_much_();
}

void strangers::stay::leave() {
    if (among_ == nullptr) return;
    auto& its = *std::exchange(among_, nullptr);
    its.count(*of_, bytes_, 0);
    of_->stays.erase(place_);
    if (!of_->stays.empty()) return;
    its.ranks_.erase({of_->bytes, of_->order});
    const auto left = of_->of;
    its.crowds_.erase(left);
}

} // namespace pipit::server
