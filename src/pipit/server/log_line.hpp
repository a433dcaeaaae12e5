// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>

#include <string>
#include <string_view>

namespace pipit::server {

/// What stands before the text of a line.
struct log_prefix {
    int pid = 0;
    bool with_time = true;
    bool in_utc = false;
    bool in_colors = false;
};

/// `[812] 2026/11/21 04:21:57.973123 [INF] text` and a line feed, as nats-server writes it.
[[nodiscard]] std::string log_line(const log_prefix& prefix, log_level level, wall_time time,
                                   std::string_view text);

/// The name under which a log file that has become too large is kept:
/// `<file>.2026.11.21.04.21.57.973123456`, in local time.
[[nodiscard]] std::string backup_name(std::string_view file, wall_time time);
/// True for the names that `backup_name` gives to this file.
[[nodiscard]] bool is_backup_name(std::string_view file, std::string_view name);

} // namespace pipit::server
