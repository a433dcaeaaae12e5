// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/detail/link.hpp>
#include <pipit/client/error.hpp>
#include <pipit/protocol/error.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
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
    nanoseconds time;
    nanoseconds of_callbacks = next_look; ///< After `time`, only when they have run for so long.
};

/// Starts an operation and waits for its end, which every operation has, unless callbacks do not
/// come to their own. The link is also the thread's meanwhile: another one may destroy the
/// connection, which ends the operation.
template <class T, class Start>
result<T> wait_for(const std::shared_ptr<link> of, patience limits, Start start) {
    if (auto may = of->may_wait(); !may) return may.error();
    const auto arrives = std::make_shared<answer<T>>();
    start(handler<T>(typename answer<T>::teller(arrives)));
    for (auto due = deadline_of(limits.time);; due = deadline_of(next_look)) {
        if (auto what = arrives->wait_until(due)) return std::move(*what);
        if (!of->is_held_up(limits.of_callbacks)) continue;
        // Unless it was this that ran.
        if (auto what = arrives->wait_until(net::steady_now())) return std::move(*what);
        return held_up(limits.time);
    }
}

} // namespace pipit::client::detail
