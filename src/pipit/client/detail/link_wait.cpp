// SPDX-License-Identifier: Apache-2.0
// Threads that wait in functions of a blocking user, and read the socket themselves meanwhile.
#include <pipit/client/detail/link.hpp>

#include <pipit/client/error.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/protocol/error.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace pipit::client::detail {
namespace {

/// Between two looks at what should have ended.
constexpr std::chrono::milliseconds second_look{1};

} // namespace

error held_up(nanoseconds time) {
    const auto shown = std::chrono::duration_cast<std::chrono::milliseconds>(time);
    return error(protocol::errc::timeout,
                 "callbacks of the connection have not ended, and nothing else of it goes on "
                 "meanwhile (after " +
                     std::to_string(shown.count()) + " ms)");
}

void link::call(sleeper& who) {
    who.is_called = true;
    if (reader_ != &who) {
        who.called.notify_one();
    } else if (is_reader_waiting_ && transport_) {
        transport_->wire.interrupt(); // Without one, the end of the last one has called it.
    }
}

void link::call_next(feed& of) {
    if (of.sleepers.empty()) return;
    auto& first = *of.sleepers.front();
    of.sleepers.erase(of.sleepers.begin());
    first.is_listed = false;
    call(first);
}

void link::call_all(feed& of) {
    while (!of.sleepers.empty()) call_next(of);
}

template <class T>
void link::tell(awaited<T>& who, result<T> what) {
    who.what = std::move(what);
    const bool callbacks_come_first = runs_tasks_ || !tasks_.empty();
    const bool is_late = !*who.what && who.what->error() == protocol::errc::timeout;
    if (callbacks_come_first && !is_late && !session_.is_closed()) {
        who.told_by = ++wake_ups_;
        behind_callbacks_.push_back(&who);
        tasks_.emplace_back(wake_up{who.told_by});
    } else {
        who.is_told = true;
        call(who);
    }
}

template void link::tell(awaited<message>& who, result<message> what);
template void link::tell(awaited<nanoseconds>& who, result<nanoseconds> what);

void link::tell(handler_or_thread who, result<> what) {
    if (auto* const waits = std::get_if<waiting<void>>(&who)) {
        return complete_later<void>(std::move(*waits), std::move(what));
    }
    auto& thread = *std::get<awaited<void>*>(who);
    thread.what = std::move(what);
    thread.is_told = true;
    call(thread);
}

void link::perform(wake_up& due) {
    const lock held(mutex_);
    const auto found = std::ranges::find(behind_callbacks_, due.number, &sleeper::told_by);
    if (found == behind_callbacks_.end()) return; // It could not wait any longer.
    auto& who = **found;
    behind_callbacks_.erase(found);
    who.is_told = true;
    call(who);
}

/// Not while there are callbacks, or were a moment ago: they are the other thread's, and while one
/// runs, nothing is read.
bool link::begin_reading(sleeper& me) {
    if (reader_ != nullptr) return reader_ == &me;
    const bool may_read = transport_ && transport_->wire.is_lendable() && session_.is_connected() &&
                          reads_on() && !runs_tasks_ && tasks_.empty() &&
                          net::steady_now() >= loop_reads_until_;
    if (!may_read) return false;
    reader_ = &me;
    wait_for_socket(); // But for what is read here.
    return true;
}

void link::end_reading(sleeper& me) {
    if (reader_ != &me) return;
    reader_ = nullptr;
    wait_for_socket();
}

/// Like a thread's function: what it throws would leave others with a pointer to this one's stack.
template <class IsOver>
void link::sleep_until(lock& held, sleeper& me, IsOver is_over,
                       std::optional<steady_time> deadline) noexcept {
    const presence here(*this);
    while (!is_over() && !(deadline && net::steady_now() >= *deadline)) {
        if (begin_reading(me)) {
            read_until(held, is_over, deadline);
            end_reading(me);
        } else if (deadline) {
            me.called.wait_until(held, *deadline, [&] { return me.is_called; });
        } else {
            me.called.wait(held, [&] { return me.is_called; });
        }
        me.is_called = false;
    }
    end_reading(me);
}

template <class IsOver>
void link::read_until(lock& held, IsOver is_over, std::optional<steady_time> deadline) {
    const auto from = transport_; // None, when what was asked could not be sent.
    while (from && from == transport_ && reads_on() && !runs_tasks_ && !is_over()) {
        std::optional<nanoseconds> rest;
        if (deadline) rest = *deadline - net::steady_now();
        if (rest && *rest <= nanoseconds(0)) return;
        is_reader_waiting_ = true;
        held.unlock();
        from->wire.wait(rest);
        held.lock();
        is_reader_waiting_ = false;
        if (from != transport_ || runs_tasks_) return;
        receive();
        take_events();
        if (needs_turn()) schedule_turn();
        if (from != transport_) return;
        if (unsent_bytes() != 0 || !from->answers.empty()) send(held);
        if (!tasks_.empty()) return;
    }
}

/// For a thread whose time is over: the one in the background may be in a callback.
void link::end_what_is_late() {
    if (runs_tasks_) {
        session_.excuse_silence(); // Nobody reads.
        session_.expire(net::steady_now());
    } else {
        expire();
    }
    take_events();
    if (needs_turn()) schedule_turn();
}

template <class T>
result<T> link::wait_for_operation(lock& held, result<protocol::operation_id> id,
                                   nanoseconds timeout) {
    if (!id) return id.error();
    awaited<T> mine;
    operations_.emplace(*id, &mine);
    (void)begin_reading(mine); // Before it asks: the answer may come at once.
    asked(held);
    auto due = deadline_of(timeout);
    for (;;) {
        sleep_until(
            held, mine, [&] { return mine.is_told; }, due);
        if (mine.what) break; // Even when callbacks should come first, for they take too long.
        end_what_is_late();
        due = deadline_of(second_look);
    }
    std::erase(behind_callbacks_, &mine);
    return std::move(*mine.what);
}

result<message> link::wait_for_request(bytes_view subject, bytes_view payload,
                                       const request_options& options) {
    return inside([&](lock& held) -> result<message> {
        if (is_turns_thread()) return errc::would_deadlock;
        if (drain_deadline_) return ending_why();
        return wait_for_operation<message>(held, begin_request(subject, payload, options),
                                           options.timeout.value_or(options_.request_timeout));
    });
}

result<nanoseconds> link::wait_for_flush(std::optional<nanoseconds> timeout) {
    return inside([&](lock& held) -> result<nanoseconds> {
        if (is_turns_thread()) return errc::would_deadlock;
        const nanoseconds at_most = timeout.value_or(options_.request_timeout);
        return wait_for_operation<nanoseconds>(held, session_.flush(net::steady_now(), at_most),
                                               at_most);
    });
}

result<> link::wait_for_publication(bytes_view subject, bytes_view payload,
                                    const publish_options& options) {
    return inside([&](lock& held) -> result<> {
        if (auto outcome = publish_or_wait(held, subject, payload, options)) {
            return std::move(*outcome);
        }
        if (is_turns_thread()) return errc::would_deadlock;
        awaited<void> mine;
        wait_for_room(subject, payload, options, &mine);
        const presence here(*this);
        const nanoseconds time = options_.request_timeout;
        const auto is_told = [&] { return mine.is_told; };
        for (auto due = net::steady_now() + time;; due = net::steady_now() + next_look) {
            if (mine.called.wait_until(held, due, is_told)) return std::move(*mine.what);
            if (callbacks_take(time)) break;
        }
        std::erase_if(wanting_room_, [&](const room_waiter& waiter) {
            auto* const* const thread = std::get_if<awaited<void>*>(&waiter.who);
            return thread != nullptr && *thread == &mine;
        });
        return held_up(time);
    });
}

template <class IsHere>
void link::wait_for_feed(lock& held, feed& of, IsHere is_here,
                         std::optional<steady_time> deadline) {
    sleeper me;
    of.taker = std::this_thread::get_id();
    const auto is_over = [&] {
        if (is_here()) return true;
        if (!std::exchange(me.is_listed, true)) of.sleepers.push_back(&me);
        return false;
    };
    sleep_until(held, me, is_over, deadline);
    if (me.is_listed) std::erase(of.sleepers, &me);
}

result<message> link::wait_for_next(feed& of, std::optional<nanoseconds> timeout) {
    return inside([&](lock& held) -> result<message> {
        const auto is_here = [&] { return !of.pending.empty() || of.end; };
        if (!is_here() && is_turns_thread()) return errc::would_deadlock;
        wait_for_feed(held, of, is_here, deadline_of(timeout));
        if (auto first = of.pending.pop()) {
            taken_from(of);
            return std::move(*first);
        }
        if (of.end) return of.how_it_ended(std::type_identity<message>());
        return of.none_within(*timeout);
    });
}

result<std::optional<message>> link::wait_for_answer(feed& of, std::optional<steady_time> until) {
    return inside([&](lock& held) -> result<std::optional<message>> {
        const auto is_here = [&] { return !of.pending.empty() || of.end; };
        if (!is_here() && is_turns_thread()) return errc::would_deadlock;
        wait_for_feed(held, of, is_here, until);
        while (!is_here()) {
            end_what_is_late();
            wait_for_feed(held, of, is_here, deadline_of(second_look));
        }
        if (auto first = of.pending.pop()) {
            taken_from(of);
            return std::optional(std::move(*first));
        }
        return of.how_it_ended(std::type_identity<std::optional<message>>());
    });
}

bool link::is_held_up(nanoseconds at_least) const {
    const lock held(mutex_);
    return callbacks_take(at_least);
}

bool link::callbacks_take(nanoseconds at_least) const {
    return runs_tasks_ && net::steady_now() - tasks_began_ >= at_least;
}

void link::see_sleepers_off() {
    std::vector<task> left; // Dies without the lock, as do those.
    std::list<room_waiter> wanting_room;
    lock held(mutex_);
    const auto tell_end = [this](sleeper* who) {
        who->is_told = true;
        call(*who);
    };
    const auto tell_closed = [&](auto* who) {
        who->what = protocol::errc::closed;
        tell_end(who);
    };
    for (auto* const tasks : {&tasks_, &running_}) {
        std::move(tasks->begin(), tasks->end(), std::back_inserter(left));
        tasks->clear();
    }
    for (auto* const who : std::exchange(behind_callbacks_, {})) tell_end(who);
    wanting_room.swap(wanting_room_);
    for (auto& waiter : wanting_room) {
        if (auto* const* const who = std::get_if<awaited<void>*>(&waiter.who)) tell_closed(*who);
    }
    for (auto& [id, of] : operations_) {
        if (auto* const* const who = std::get_if<awaited<message>*>(&of)) tell_closed(*who);
        if (auto* const* const who = std::get_if<awaited<nanoseconds>*>(&of)) tell_closed(*who);
    }
    all_are_gone_.wait(held, [this] { return present_threads_ == 0; });
    // A turn that had too much to do has not come to the end: this is the rest of it, and must not
    // wait for another one.
    in_turn_ = true;
    turn_thread_ = std::this_thread::get_id();
    held.unlock();
    for (auto& each : left) {
        if (auto* const what = std::get_if<connection_event>(&each)) perform(*what);
    }
}

} // namespace pipit::client::detail
