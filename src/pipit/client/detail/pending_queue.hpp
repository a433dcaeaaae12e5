// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/options.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace pipit::client::detail {

/// Messages that wait for their user, up to the limits of the subscription.
///
/// With `when_full::wait` it takes whatever it is given: whoever fills it stops when it
/// `is_full()`.
class pending_queue {
public:
    enum class outcome { queued, dropped };

    pending_queue(std::size_t messages_max, std::size_t bytes_max, when_full policy) noexcept
        : messages_max_(messages_max), bytes_max_(bytes_max), policy_(policy) {}

    outcome push(message&& arrived) {
        const auto bytes = arrived.size();
        auto what = outcome::queued;
        if (policy_ == when_full::drop_new && !fits(bytes)) {
            ++dropped_;
            return outcome::dropped;
        }
        while (policy_ == when_full::drop_old && !fits(bytes) && !empty()) {
            (void)take();
            ++dropped_;
            what = outcome::dropped;
        }
        bytes_ += bytes;
        messages_.push_back(std::move(arrived));
        return what;
    }

    std::optional<message> pop() {
        if (empty()) return std::nullopt;
        return take();
    }

    /// Throws away the newest, but for so many of all.
    void keep(std::uint64_t messages) {
        while (size() > messages) {
            bytes_ -= messages_.back().size();
            messages_.pop_back();
        }
        if (!empty()) return;
        next_ = 0;
        messages_.clear();
    }

    [[nodiscard]] bool empty() const noexcept { return next_ == messages_.size(); }
    [[nodiscard]] std::size_t size() const noexcept { return messages_.size() - next_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

    /// Nothing more should come, because the policy is to wait.
    [[nodiscard]] bool is_full() const noexcept {
        return policy_ == when_full::wait && (size() >= messages_max_ || bytes_ >= bytes_max_);
    }
    /// Enough was taken for more to come: not after each message, which would cost a turn each.
    [[nodiscard]] bool has_room_again() const noexcept {
        return size() <= messages_max_ / 2 && bytes_ <= bytes_max_ / 2;
    }

private:
    /// A message larger than the limit fits into an empty queue: it could never be had otherwise.
    [[nodiscard]] bool fits(std::size_t more_bytes) const noexcept {
        return empty() || (size() < messages_max_ && bytes_ + more_bytes <= bytes_max_);
    }

    message take() {
        auto first = std::move(messages_[next_++]);
        bytes_ -= first.size();
        if (empty()) {
            next_ = 0;
            messages_.clear();
            if (messages_.capacity() > capacity_kept) messages_.shrink_to_fit();
        } else if (next_ > messages_.size() / 2) { // So that each is moved once, on average.
            messages_.erase(messages_.begin(),
                            messages_.begin() + static_cast<std::ptrdiff_t>(next_));
            next_ = 0;
        }
        return first;
    }

    static constexpr std::size_t capacity_kept = 1024;

    std::vector<message> messages_;
    std::size_t next_ = 0; ///< In front of it are messages that were taken.
    std::size_t bytes_ = 0;
    std::uint64_t dropped_ = 0;
    std::size_t messages_max_;
    std::size_t bytes_max_;
    when_full policy_;
};

} // namespace pipit::client::detail
