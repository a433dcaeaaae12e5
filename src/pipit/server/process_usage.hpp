// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace pipit::server {

/// What this process uses of the machine.
struct process_usage {
    std::uint64_t memory_bytes = 0; ///< Resident.
    nanoseconds cpu_time{};         ///< Of all its threads, since its start.
};

/// Reads /proc; zeros where there is none.
[[nodiscard]] process_usage read_process_usage();

/// Reads what stands in /proc/self/stat; zeros when it is not that.
[[nodiscard]] process_usage parse_process_stat(std::string_view stat);

/// How busy the process is, 100 for one core, between readings at least one second apart.
class cpu_meter {
public:
    /// The percentage as of `now`; 0 before the first second has passed.
    double percent(nanoseconds cpu_time, steady_time now) noexcept;

private:
    std::optional<steady_time> last_time_;
    nanoseconds last_cpu_time_{};
    double percent_ = 0;
};

} // namespace pipit::server
