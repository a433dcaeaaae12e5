// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/detail/link.hpp>
#include <pipit/client/error.hpp>
#include <pipit/protocol/error.hpp>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace pipit::client::detail {

/// What a thread waits for.
template <class T>
class answer {
public:
    /// Called once, or destroyed because its connection was: that is an answer, too.
    class teller {
    public:
        explicit teller(answer& to) noexcept : to_(&to) {}
        teller(teller&& other) noexcept : to_(std::exchange(other.to_, nullptr)) {}
        teller& operator=(teller&&) = delete;
        ~teller() {
            if (to_ != nullptr) to_->tell(protocol::errc::closed);
        }
        void operator()(result<T> what) { std::exchange(to_, nullptr)->tell(std::move(what)); }

    private:
        answer* to_;
    };

    [[nodiscard]] result<T> wait() {
        std::unique_lock held(mutex_);
        is_here_.wait(held, [this] { return what_.has_value(); });
        return std::move(*what_);
    }

private:
    void tell(result<T> what) {
        // Under the lock: when it is free, the waiting thread may destroy this.
        const std::lock_guard held(mutex_);
        what_ = std::move(what);
        is_here_.notify_one();
    }

    std::mutex mutex_;
    std::condition_variable is_here_;
    std::optional<result<T>> what_;
};

/// Starts an operation and waits for its end, which every operation has.
template <class T, class Start>
result<T> wait_for(link& of, Start start) {
    if (of.is_in_callback()) return errc::would_deadlock;
    answer<T> arrives;
    start(handler<T>(typename answer<T>::teller(arrives)));
    return arrives.wait();
}

} // namespace pipit::client::detail
