// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/read_size.hpp>

#include <pipit/base/limits.hpp>

#include <algorithm>

namespace pipit::server {

void read_size::note(std::size_t read_bytes, nanoseconds taken) noexcept {
    if (taken > turn_max) {
        const auto fitting = static_cast<double>(read_bytes) *
                             static_cast<double>(turn_max.count()) /
                             static_cast<double>(taken.count());
        bytes_ = std::max(std::min(bytes_, static_cast<std::uint32_t>(fitting)), least_bytes);
    } else if (read_bytes >= bytes_ && taken < turn_max / 2) {
        bytes_ = std::min(bytes_ * 2, static_cast<std::uint32_t>(limits::read_scratch_bytes));
    }
}

} // namespace pipit::server
