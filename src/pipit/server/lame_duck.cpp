// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/lame_duck.hpp>

#include <algorithm>
#include <chrono>

namespace pipit::server {
namespace {

/// A few connections are not spread over minutes.
constexpr nanoseconds longest_interval = std::chrono::seconds(1);
/// Waking up more often costs more than it spreads.
constexpr nanoseconds shortest_interval = std::chrono::milliseconds(1);

} // namespace

farewell::farewell(std::vector<std::uint64_t> client_ids, nanoseconds duration,
                   random_source& random)
    : client_ids_(std::move(client_ids)) {
    std::shuffle(client_ids_.begin(), client_ids_.end(), random);
    const auto count = std::max<std::size_t>(client_ids_.size(), 1);
    const auto fair_share = duration / static_cast<std::int64_t>(count);
    interval_ = std::clamp(fair_share, shortest_interval, longest_interval);
    if (fair_share < shortest_interval) {
        const auto groups = std::max<std::int64_t>(duration / shortest_interval, 1);
        group_size_ = count / static_cast<std::size_t>(groups) + 1;
    }
}

std::span<const std::uint64_t> farewell::next_group() noexcept {
    const auto count = std::min(group_size_, client_ids_.size() - next_);
    const auto group = std::span<const std::uint64_t>(client_ids_).subspan(next_, count);
    next_ += count;
    return group;
}

nanoseconds farewell::next_pause(random_source& random) const noexcept {
    const auto half = interval_ / 2;
    return half + nanoseconds(random() % static_cast<std::uint64_t>(half.count() + 1));
}

} // namespace pipit::server
