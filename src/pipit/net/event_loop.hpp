// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <functional>
#include <memory>

namespace pipit::net {

/// Waits for sockets, for a deadline and for tasks from other threads, and calls what belongs to
/// them, one after the other.
///
/// Threads: one runs it; `post` and `stop` are for all. What waits on it ends before it does.
class event_loop {
public:
    event_loop();
    ~event_loop();
    event_loop(const event_loop&) = delete;
    event_loop& operator=(const event_loop&) = delete;

    /// Runs until `stop()`.
    void run();
    void stop();

    /// Calls `task` on the thread that runs the loop; never at once. Tasks that are left when the
    /// loop ends are dropped.
    void post(std::function<void()> task);

    /// What `wake_at` calls; to be set before the loop runs.
    void on_deadline(std::function<void()> expired);
    /// Calls it once when this time has come. The earliest of several calls counts; costs a
    /// comparison when an earlier one is under way. A time that is over by a second or more comes a
    /// second from now: what has come to the sockets goes first.
    void wake_at(steady_time when);

    /// For the parts of `net` alone.
    struct state;
    [[nodiscard]] state& internals() noexcept { return *state_; }

private:
    std::unique_ptr<state> state_;
};

} // namespace pipit::net
