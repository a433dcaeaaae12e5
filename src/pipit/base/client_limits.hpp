// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

/// What a client does unless its options say otherwise.
namespace pipit::limits {

inline constexpr std::chrono::milliseconds client_connect_timeout{5000};
inline constexpr std::chrono::milliseconds client_ping_interval{120'000};
inline constexpr int client_pings_outstanding = 2;
inline constexpr int client_reconnect_attempts = -1; ///< Without end.
inline constexpr std::chrono::milliseconds client_reconnect_wait{100};
inline constexpr std::chrono::milliseconds client_reconnect_wait_max{2000};
inline constexpr std::chrono::milliseconds client_reconnect_jitter{100};

} // namespace pipit::limits
