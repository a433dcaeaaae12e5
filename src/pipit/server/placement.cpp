// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/placement.hpp>

#include <algorithm>

namespace pipit::server {

void placement::measure(std::span<const nanoseconds> used, steady_time now) {
    const std::chrono::duration<double> passed = now - measured_at_;
    for (std::size_t i = 0; i < shares_.size(); ++i) {
        const std::chrono::duration<double> worked = used[i] - used_before_[i];
        shares_[i] = worked / passed;
        used_before_[i] = used[i];
    }
    measured_at_ = now;
    due_ = now + interval;
}

unsigned placement::choose() noexcept {
    const auto count = static_cast<unsigned>(shares_.size());
    if (policy_ == placement_policy::round_robin) return turn_++ % count;
    const auto idle = std::find_if(shares_.begin(), shares_.end(),
                                   [](double share) { return share < busy_share; });
    const auto chosen =
        idle != shares_.end() ? idle : std::min_element(shares_.begin(), shares_.end());
    return static_cast<unsigned>(chosen - shares_.begin());
}

} // namespace pipit::server
