// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/detail/link.hpp>
#include <pipit/client/error.hpp>
#include <pipit/protocol/error.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace pipit::client::detail {

/// What a thread waits for. Shared with who tells it, for the thread may leave before.
template <class T>
class answer {
public:
    /// Called once, or destroyed because its connection was: that is an answer, too.
    class teller {
    public:
        explicit teller(std::shared_ptr<answer> to) noexcept : to_(std::move(to)) {}
        teller(teller&& other) noexcept = default;
        teller& operator=(teller&&) = delete;
        ~teller() {
            if (to_) to_->tell(protocol::errc::closed);
        }
        void operator()(result<T> what) { std::exchange(to_, nullptr)->tell(std::move(what)); }

    private:
        std::shared_ptr<answer> to_;
    };

    [[nodiscard]] std::optional<result<T>> wait_until(std::optional<steady_time> due) {
        std::unique_lock held(mutex_);
        const auto is_here = [this] { return what_.has_value(); };
        if (due) {
            is_here_.wait_until(held, *due, is_here);
        } else {
            is_here_.wait(held, is_here);
        }
        return std::move(what_);
    }

private:
    void tell(result<T> what) {
        const std::lock_guard held(mutex_);
        what_ = std::move(what);
        is_here_.notify_one();
    }

    std::mutex mutex_;
    std::condition_variable is_here_;
    std::optional<result<T>> what_;
};

/// When a thread stops waiting for what the thread in the background has to end.
struct patience {
    nanoseconds time = nanoseconds::max();
    nanoseconds of_callback{}; ///< After `time`, only when a callback has been running for so long.
};

[[nodiscard]] inline error held_up(nanoseconds time) {
    const auto shown = std::chrono::duration_cast<std::chrono::milliseconds>(time);
    return error(protocol::errc::timeout,
                 "a callback of the connection has not returned, and nothing of it goes on "
                 "meanwhile (after " +
                     std::to_string(shown.count()) + " ms)");
}

/// Starts an operation and waits for its end, which every operation has, unless a callback does not
/// come to its own: `forget` then takes it back, or answers that it has ended after all.
template <class T, class Start, class Forget>
result<T> wait_for(link& of, patience limits, Start start, Forget forget) {
    if (of.is_forked()) return errc::made_before_fork;
    if (of.is_in_callback()) return errc::would_deadlock;
    constexpr std::chrono::milliseconds next_look{50};
    const auto arrives = std::make_shared<answer<T>>();
    start(handler<T>(typename answer<T>::teller(arrives)));
    for (auto due = deadline_of(limits.time);; due = deadline_of(next_look)) {
        if (auto what = arrives->wait_until(due)) return std::move(*what);
        if (of.is_held_up(limits.of_callback) && forget()) return held_up(limits.time);
    }
}

template <class T, class Start>
result<T> wait_for(link& of, patience limits, Start start) {
    return wait_for<T>(of, limits, std::move(start), [] { return true; });
}

template <class T, class Start>
result<T> wait_for(link& of, Start start) {
    return wait_for<T>(of, patience{}, std::move(start));
}

} // namespace pipit::client::detail
