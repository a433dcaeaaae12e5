// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <pipit/base/time.hpp>
#include <pipit/net/clock.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <optional>

namespace pipit::client::detail {

/// A thread whose time is over goes on, unless callbacks hold it up: so often it looks.
inline constexpr std::chrono::milliseconds next_look{50};

/// When a time that begins now is over; nothing when that is never.
[[nodiscard]] inline std::optional<steady_time> deadline_of(std::optional<nanoseconds> timeout) {
    const auto now = net::steady_now();
    if (!timeout || *timeout > steady_time::max() - now) return std::nullopt;
    return now + *timeout;
}

/// A thread in a function that waits. Guarded by the link's lock.
struct sleeper {
    std::condition_variable called;
    bool is_called = false;
    bool is_listed = false;    ///< Among those that a feed calls.
    bool is_told = false;      ///< What it waits for has ended.
    std::uint64_t told_by = 0; ///< The number of the task that tells it, behind callbacks.
};

/// One that waits for an operation.
template <class T>
struct awaited : sleeper {
    std::optional<result<T>> what;
};

} // namespace pipit::client::detail
