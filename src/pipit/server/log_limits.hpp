// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

/// What a log may cost a server whose log is read slowly, or not at all.
namespace pipit::limits {

/// So long lines wait for a reader, altogether; it is given back in ten times that.
inline constexpr std::chrono::seconds log_patience{1};
inline constexpr int log_patience_regained_in = 10;

/// Between two words on standard error about a log file that takes nothing.
inline constexpr std::chrono::minutes log_failure_interval{1};

/// For the connection to a log on another machine, at the start, by how many addresses that its
/// name has; and between two tries to have it again.
inline constexpr std::chrono::seconds syslog_connect_timeout{5};
inline constexpr std::size_t syslog_addresses = 8;
inline constexpr std::chrono::seconds syslog_reconnect_interval{1};

} // namespace pipit::limits
