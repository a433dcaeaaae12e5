// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client/detail/pending_queue.hpp>
#include <pipit/client/detail/sleeper.hpp>
#include <pipit/client/detail/waiting.hpp>
#include <pipit/client/options.hpp>

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace pipit::client::detail {

class link;

/// Why no more messages come: `how` of a `request_many`, `why` of a failure.
struct feed_end {
    error why;
    std::optional<protocol::replies_end> how;
};

/// Messages on their way to one user: those of a subscription, or the answers to one request.
/// What is not constant is guarded by the link's lock.
struct feed {
    /// Somebody waits for the next message: of a subscription, or of `replies`.
    struct waiter {
        std::uint64_t number;
        std::variant<waiting<message>, waiting<std::optional<message>>> who;
        std::unique_ptr<asio::steady_timer> timer = {}; ///< Ends it; none: however long it takes.
    };
    struct drainer {
        std::uint64_t number;
        waiting<void> who;
    };

    feed(std::shared_ptr<link> its_owner, std::variant<protocol::sid, protocol::operation_id> from,
         std::string its_subject, const subscribe_options& options)
        : owner(std::move(its_owner)),
          source(from),
          subject(std::move(its_subject)),
          pending(options.pending_messages_max, options.pending_bytes_max, options.policy) {}

    /// What the next message is when there will be none.
    [[nodiscard]] result<message> how_it_ended(std::type_identity<message> kind) const;
    [[nodiscard]] result<std::optional<message>>
    how_it_ended(std::type_identity<std::optional<message>> kind) const;

    /// Why there is no message.
    [[nodiscard]] error none_within(nanoseconds time) const;

    void count_delivery() noexcept {
        delivered.store(delivered.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    [[nodiscard]] bool has_reached_limit() const noexcept {
        const auto max = delivered_max.load(std::memory_order_relaxed);
        return max != 0 && delivered.load(std::memory_order_relaxed) >= max;
    }

    std::shared_ptr<link> owner;
    std::variant<protocol::sid, protocol::operation_id> source;
    std::string subject;
    std::function<void(message)> callback;       ///< Empty: messages wait for `next`.
    std::function<bool(const message&)> is_last; ///< Of an asynchronous `request_many`.

    pending_queue pending;
    std::list<waiter> waiters; ///< Any of them may give up, as may those.
    std::list<drainer> drains;
    std::vector<sleeper*> sleepers; ///< Threads that wait for a message, but for those called.
    /// Messages that the user was given. Counted under the lock, with a callback by the strand.
    std::atomic<std::uint64_t> delivered = 0;
    std::atomic<std::uint64_t> delivered_max = 0; ///< 0: no limit.
    bool slow_consumer_told = false;
    bool holds_reading = false; ///< Nothing is read, because `pending` is full.
    bool delays_drain = false;  ///< The connection's drain waits for `pending` to be taken.
    std::thread::id taker;      ///< Of a blocking user: who asked for the last message.
    std::optional<feed_end> end;
    /// The user has ended it: what is on its way to the callback is not handed out any more.
    std::atomic<bool> cut = false;
    /// Of a blocking user, whose thread may be about to destroy what the callback uses.
    std::atomic<int> running_callbacks = 0;
};

} // namespace pipit::client::detail
