// SPDX-License-Identifier: Apache-2.0
// Messages on their way from a link to their users.
#include <pipit/client/detail/link.hpp>

#include <pipit/client/error.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/protocol/error.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace pipit::client::detail {
result<message> feed::how_it_ended(std::type_identity<message> /*kind*/) const {
    auto text = "'" + subject + "'";
    if (end->why.code()) text += ": " + end->why.message();
    return error(errc::subscription_ended, std::move(text));
}

result<std::optional<message>>
feed::how_it_ended(std::type_identity<std::optional<message>> /*kind*/) const {
    if (end->how) return std::optional<message>();
    return end->why;
}

error feed::none_within(nanoseconds time) const {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time);
    return {protocol::errc::timeout,
            "no message for '" + subject + "' in " + std::to_string(milliseconds.count()) + " ms"};
}

result<link::feed_pointer> link::subscribe(bytes_view subject,
                                           std::function<void(message)> callback,
                                           const subscribe_options& options) {
    return inside([&]() -> result<feed_pointer> {
        if (drain_deadline_) return ending_why();
        const auto id = session_.subscribe(subject, options.queue);
        if (!id && !id.error().detail().empty()) return id.error();
        if (!id) return error(id.error().code(), "'" + std::string(subject) + "'");
        auto made = std::make_shared<feed>(shared_from_this(), *id, std::string(subject), options);
        made->callback = std::move(callback);
        subscriptions_.emplace(*id, made);
        if (options.messages_max != 0) session_.unsubscribe(*id, options.messages_max);
        schedule_turn();
        return made;
    });
}

void link::forget(protocol::sid id) {
    subscriptions_.erase(id);
    if (last_sid_ == id) last_feed_.reset();
}

void link::hand_out(const feed_pointer& to, message arrived) {
    if (to->callback) {
        tasks_.emplace_back(callback_call{to, std::move(arrived)});
    } else if (!to->waiters.empty()) {
        to->count_delivery();
        auto who = std::move(to->waiters.front().who);
        to->waiters.erase(to->waiters.begin());
        std::visit(
            [&]<class T>(waiting<T>& waits) {
                complete_later<T>(std::move(waits), T(std::move(arrived)));
            },
            who);
    } else {
        queue_for(*to, std::move(arrived));
    }
}

void link::queue_for(feed& to, message arrived) {
    const auto outcome = to.pending.push(std::move(arrived));
    if (outcome == pending_queue::outcome::dropped && !std::exchange(to.slow_consumer_told, true)) {
        report(event::slow_consumer{to.subject, to.pending.dropped()});
    }
    if (to.pending.is_full() && !std::exchange(to.holds_reading, true)) ++holding_feeds_;
    call_next(to);
}

void link::taken_from(feed& of) {
    of.count_delivery();
    notice_room(of);
}

void link::notice_room(feed& of) {
    if (of.pending.empty()) {
        of.slow_consumer_told = false; // It has caught up.
        stop_delaying(of);
    }
    if (of.holds_reading && of.pending.has_room_again()) stop_holding(of);
}

void link::stop_holding(feed& of) {
    if (!std::exchange(of.holds_reading, false)) return;
    if (holding_feeds_ != 0) --holding_feeds_;
    schedule_turn();
}

void link::stop_delaying(feed& of) {
    if (!std::exchange(of.delays_drain, false)) return;
    delaying_feeds_.erase(&of);
    advance_drain();
}

/// When all subscriptions have ended and their messages are handed out: answers to them, by
/// callbacks that are still to be called, come before the end.
void link::advance_drain() {
    if (!is_handing_out() || !subscriptions_.empty() || !delaying_feeds_.empty()) return;
    last_drain_begun_ = true;
    tasks_.emplace_back(last_drain{});
    schedule_turn();
}

void link::end_feed(const feed_pointer& which, feed_end how) {
    which->end = std::move(how);
    for (auto& waiter : std::exchange(which->waiters, {})) {
        std::visit(
            [&]<class T>(waiting<T>& who) {
                complete_later<T>(std::move(who), which->how_it_ended(std::type_identity<T>()));
            },
            waiter.who);
    }
    const auto& why = which->end->why;
    for (auto& drainer : std::exchange(which->drains, {})) {
        complete_later<void>(std::move(drainer.who), why.code() ? result<>(why) : result<>());
    }
    call_all(*which);
    stop_holding(*which);
    if (is_handing_out() && !which->pending.empty() && is_waited_for(*which)) {
        which->delays_drain = true;
        delaying_feeds_.emplace(which.get(), which);
    }
}

/// Whether somebody may take the rest of it while the connection is drained. A thread that waits
/// for the end of that does not.
bool link::is_waited_for(const feed& of) const {
    if (face_ == face::asynchronous) return true;
    return of.taker != std::thread::id() && of.taker != drained_by_;
}

/// Why a drain took too long.
error link::not_handed_out() const {
    constexpr std::size_t told_max = 3;
    std::string text = "not all messages were handed out";
    std::size_t told = 0;
    for (const auto& [key, of] : delaying_feeds_) {
        if (told == told_max) break;
        text += told++ == 0 ? ": " : ", ";
        text += std::to_string(of->pending.size()) + " of '" + of->subject + "'";
    }
    if (const auto more = delaying_feeds_.size() - told; more != 0) {
        text += ", and those of " + std::to_string(more) + " other subscriptions";
    }
    return {protocol::errc::timeout, std::move(text)};
}

template <class T>
void link::next_as(const feed_pointer& of, time_limit at_most, handler<T> done) {
    start(std::move(done), [&](lock& /*held*/, waiting<T> who) {
        if (auto first = of->pending.pop()) {
            taken_from(*of);
            return complete_later<T>(std::move(who), T(std::move(*first)));
        }
        if (of->end) {
            return complete_later<T>(std::move(who), of->how_it_ended(std::type_identity<T>()));
        }
        const auto number = next_waiter_++;
        who.on_cancel([weak = std::weak_ptr(of), number] {
            const auto still = weak.lock();
            if (!still) return;
            still->owner->inside(
                [&] { still->owner->end_waiter(*still, number, protocol::errc::cancelled); });
        });
        of->waiters.push_back({number, std::move(who), timer_of_waiter(of, number, at_most)});
    });
}

void link::next(const feed_pointer& of, time_limit at_most, handler<message> done) {
    next_as<message>(of, at_most, std::move(done));
}

void link::next(const feed_pointer& of, time_limit at_most, handler<std::optional<message>> done) {
    next_as<std::optional<message>>(of, at_most, std::move(done));
}

std::unique_ptr<asio::steady_timer>
link::timer_of_waiter(const feed_pointer& of, std::uint64_t number, time_limit at_most) {
    const auto due = deadline_of(at_most);
    if (!due) return nullptr;
    auto timer = std::make_unique<asio::steady_timer>(*strand_, *due);
    timer->async_wait([weak = std::weak_ptr(of), number, time = *at_most](const error_code& code) {
        const auto still = weak.lock();
        if (!code && still) still->owner->end_late_waiter(*still, number, time);
    });
    return timer;
}

void link::end_late_waiter(feed& of, std::uint64_t number, nanoseconds time) {
    inside([&] {
        if (abandoned_) return;
        receive(); // What is here is not late.
        take_events();
        end_waiter(of, number, of.none_within(time));
        schedule_turn();
    });
}

/// Unless a message was faster.
void link::end_waiter(feed& of, std::uint64_t number, const error& why) {
    const auto found = std::ranges::find(of.waiters, number, &feed::waiter::number);
    if (found == of.waiters.end()) return;
    auto who = std::move(found->who);
    of.waiters.erase(found);
    std::visit([&]<class T>(waiting<T>& waits) { complete_later<T>(std::move(waits), why); }, who);
}

std::optional<message> link::try_next(feed& of) {
    return inside([&] {
        if (face_ == face::blocking) of.taker = std::this_thread::get_id();
        auto first = of.pending.pop();
        if (first) taken_from(of);
        return first;
    });
}

bool link::is_turns_thread() const {
    return in_turn_ && turn_thread_ == std::this_thread::get_id();
}

result<> link::may_wait() const {
    return inside(
        [this] { return is_turns_thread() ? result<>(errc::would_deadlock) : result<>(); });
}

void link::unsubscribe(const feed_pointer& of, std::uint64_t max) {
    inside([&] {
        // Also when it has ended: callbacks may be on their way.
        if (max == 0) {
            of->cut = true;
        } else {
            limit(*of, max);
        }
        if (of->end) return max == 0 ? stop_delaying(*of) : void();
        const auto id = std::get<protocol::sid>(of->source);
        session_.unsubscribe(id, max);
        if (max == 0) {
            forget(id);
            end_feed(of, {});
            stop_delaying(*of);
            advance_drain();
        }
        schedule_turn();
    });
}

/// What is here already counts, too: more than that many is not handed out.
void link::limit(feed& of, std::uint64_t max) {
    of.delivered_max = max;
    const auto delivered = of.delivered.load();
    of.pending.keep(max > delivered ? max - delivered : 0);
    notice_room(of);
}

void link::drain(const feed_pointer& of, handler<void> done) {
    start(std::move(done), [&](lock& /*held*/, waiting<void> who) {
        if (of->end) {
            const auto& why = of->end->why;
            return complete_later<void>(std::move(who), why.code() ? result<>(why) : result<>());
        }
        const auto number = next_waiter_++;
        who.on_cancel([weak = std::weak_ptr(of), number] {
            if (const auto still = weak.lock()) still->owner->cancel_drain(*still, number);
        });
        of->drains.push_back({number, std::move(who)});
        session_.drain(std::get<protocol::sid>(of->source), net::steady_now(),
                       options_.drain_timeout);
        schedule_turn();
    });
}

/// Only the waiting: what the server was told stays.
void link::cancel_drain(feed& of, std::uint64_t number) {
    inside([&] {
        const auto found = std::ranges::find(of.drains, number, &feed::drainer::number);
        if (found == of.drains.end()) return;
        complete_later<void>(std::move(found->who), protocol::errc::cancelled);
        of.drains.erase(found);
    });
}

void link::cancel(feed& of) {
    inside([&] {
        of.cut = true;
        if (of.end) return stop_delaying(of);
        session_.cancel(std::get<protocol::operation_id>(of.source));
        schedule_turn();
    });
}

void link::wait_for_callback(const feed& of) const {
    if (may_wait()) of.running_callbacks.wait(1);
}

bool link::is_active(const feed& of) const {
    return inside([&] { return !of.end; });
}

std::optional<protocol::replies_end> link::how_ended(const feed& of) const {
    return inside([&] { return of.end ? of.end->how : std::nullopt; });
}

subscription_statistics link::statistics(const feed& of) const {
    return inside([&] {
        return subscription_statistics{of.delivered, of.pending.dropped(), of.pending.size(),
                                       of.pending.bytes()};
    });
}

} // namespace pipit::client::detail
