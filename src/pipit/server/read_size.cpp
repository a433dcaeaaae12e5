// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/read_size.hpp>

#include <pipit/base/limits.hpp>

#include <algorithm>

namespace pipit::server {
namespace {

constexpr nanoseconds turn = limits::turn; // Half of it has to be more than no milliseconds.

} // namespace

void read_size::note(std::size_t read_bytes, nanoseconds taken) noexcept {
    if (taken > turn) {
        const auto fitting = static_cast<double>(read_bytes) * static_cast<double>(turn.count()) /
                             static_cast<double>(taken.count());
        bytes_ = std::max(std::min(bytes_, static_cast<std::uint32_t>(fitting)), least_bytes);
    } else if (read_bytes >= bytes_ && taken < turn / 2) {
        bytes_ = std::min(bytes_ * 2, static_cast<std::uint32_t>(limits::read_scratch_bytes));
    }
}

} // namespace pipit::server
