// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <span>
#include <vector>

namespace pipit::server {

enum class placement_policy {
    fill,       ///< One loop until it is busy: what measures best.
    round_robin ///< Each in turn: for tests, and for connections that never talk with each other.
};

/// Decides on which loop a new connection lives: one loop is filled until it is busy, then the
/// next one, because connections that talk with each other belong on one loop. When all are busy,
/// the least busy one.
///
/// Threads: one.
class placement {
public:
    /// A loop that works more than this share of the time is busy.
    static constexpr double busy_share = 0.7;
    /// Shares are measured over at least this long.
    static constexpr nanoseconds interval = std::chrono::milliseconds(100);

    explicit placement(unsigned loop_count, placement_policy policy = placement_policy::fill)
        : policy_(policy), used_before_(loop_count), shares_(loop_count) {}

    /// True when `measure` has something new to be told.
    [[nodiscard]] bool is_due(steady_time now) const noexcept { return now >= due_; }
    /// The time that each loop's thread has used since it was started.
    void measure(std::span<const nanoseconds> used, steady_time now);

    [[nodiscard]] unsigned choose() noexcept;

private:
    placement_policy policy_;
    unsigned turn_ = 0;
    steady_time due_{};
    steady_time measured_at_{};
    std::vector<nanoseconds> used_before_;
    std::vector<double> shares_;
};

} // namespace pipit::server
