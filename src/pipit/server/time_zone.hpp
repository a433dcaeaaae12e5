// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace pipit::server {

/// What the clocks on the wall show, somewhere.
struct local_time {
    std::chrono::seconds since_midnight{};
    std::chrono::seconds offset{}; ///< East of Greenwich.
};

/// The time of day at a place, `Europe/Vienna` for example, or with an empty name where the server
/// is. Nothing: there is no such place, or its table cannot be read.
/// `utc` is in seconds since 1970.
[[nodiscard]] std::optional<local_time> local_time_at(const std::string& place, std::int64_t utc);

} // namespace pipit::server
