// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/party.hpp>
#include <pipit/net/event_loop.hpp>
#include <pipit/server/fair_queue.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace pipit::server {

/// Does one thing at a time of those on a loop that take long, as steps of handshakes do: between
/// two of them the loop serves whatever else there is, and each party has its turn.
/// Bounded by whoever asks.
///
/// Threads: that of the loop, which ends before this.
class fair_turns {
public:
    /// Of whoever asks, who lives as long as he is to have a turn.
    using step = std::shared_ptr<const std::function<void()>>;

    explicit fair_turns(net::event_loop& events) : events_(events) {}
    fair_turns(const fair_turns&) = delete;
    fair_turns& operator=(const fair_turns&) = delete;

    /// Calls the step once, never at once.
    void ask(const party& of, const step& what) {
        waiting_.push(of, what);
        if (!std::exchange(is_giving_, true)) give_later();
    }

private:
    void give_later() {
        events_.post([this] { give(); });
    }
    void give() {
        while (const auto next = waiting_.take()) {
            const auto asked = next->lock();
            if (!asked) continue; // Who asked has gone.
            give_later();
            return (*asked)();
        }
        is_giving_ = false;
    }

    net::event_loop& events_;
    fair_queue<party, std::weak_ptr<const std::function<void()>>> waiting_;
    bool is_giving_ = false; ///< And comes back.
};

} // namespace pipit::server
