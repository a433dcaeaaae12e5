// SPDX-License-Identifier: Apache-2.0
// What happens on the strand of a link: events of the session become tasks under the lock, and
// tasks are done without it.
#include <pipit/client/detail/link.hpp>

#include <pipit/client/error.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/protocol/error.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace pipit::client::detail {
namespace {

/// Tasks may lead to tasks without end; after so many rounds others have their turn.
constexpr int rounds_max = 16;

/// After callbacks it is the thread in the background that reads, for that long: more may come, and
/// to hand each over to it is dearer than to read for those that wait.
constexpr std::chrono::milliseconds callbacks_time{10};

/// Names the server, where nothing does yet.
error from_server(const error& why, const std::string& server) {
    const auto detail = std::string(why.detail());
    if (server.empty() || detail.find(server) != std::string::npos) return why;
    return {why.code(), detail.empty() ? server : detail + " (" + server + ')'};
}

/// Of the one that is being handled.
std::string text_of_exception() {
    try {
        throw;
    } catch (const std::exception& thrown) {
        return thrown.what();
    } catch (...) {
        return "an exception of an unknown type";
    }
}

} // namespace

void link::schedule_turn() {
    turn_wanted_ = true;
    if (in_turn_ || turn_scheduled_ || abandoned_) return;
    turn_scheduled_ = true;
    asio::post(*strand_, [self = shared_from_this()] {
        self->inside([&](lock& held) { self->turn(held); });
    });
}

void link::turn(lock& held) {
    turn_scheduled_ = false;
    if (in_turn_ || abandoned_) return;
    in_turn_ = true;
    sent_something_ = false;
    if (std::exchange(has_yielded_, false)) tries_ = 0;
    turn_thread_ = std::this_thread::get_id();
    try {
        for (int round = 0; round < rounds_max; ++round) {
            turn_wanted_ = false;
            take_events();
            run_tasks(held);
            send(held);
            if (!turn_wanted_ || abandoned_) break;
        }
    } catch (...) {
        // From a callback of the user's, to whoever runs the executor. The rest has its turn next.
        if (!held.owns_lock()) held.lock();
        in_turn_ = runs_tasks_ = false;
        schedule_turn();
        throw;
    }
    in_turn_ = false;
    if (abandoned_) return;
    collects_until_.reset();
    if (face_ == face::blocking && sent_something_) {
        collects_until_ = net::steady_now() + collecting_time;
    }
    wait_for_socket();
    arm_timer();
    if (turn_wanted_) schedule_turn();
}

void link::run_tasks(lock& held) {
    // After an exception there are some left.
    if (running_.empty()) running_.swap(tasks_);
    if (running_.empty()) return;
    runs_tasks_ = true;
    if (face_ == face::blocking) {
        tasks_began_ = net::steady_now();
        loop_reads_until_ = tasks_began_ + callbacks_time;
    }
    held.unlock();
    while (running_next_ < running_.size()) {
        // What is done may throw, and is not done again.
        auto& next = running_[running_next_++];
        std::visit([this](auto& what) { perform(what); }, next);
    }
    // Not under the lock: what dies here may be the user's. And now: it counts as work.
    running_.clear();
    running_next_ = 0;
    held.lock();
    runs_tasks_ = false;
    if (!tasks_.empty()) turn_wanted_ = true;
}

template <class Call>
void link::guarded(Call call) {
    if (face_ == face::asynchronous) return call();
    try {
        return call();
    } catch (...) {
        const lock held(mutex_);
        report(event::asynchronous_error{error(errc::callback_threw, text_of_exception())});
    }
}

void link::perform(callback_call& call) {
    const auto of = std::move(call.of);
    // First this, then the look at `cut`: whoever ends it does the reverse.
    if (face_ == face::blocking) of->running_callbacks = 1;
    if (!of->cut && !silent_ && !of->has_reached_limit()) {
        of->count_delivery();
        guarded([&] { of->callback(std::move(call.what)); });
    }
    if (face_ == face::asynchronous) return;
    of->running_callbacks = 0;
    of->running_callbacks.notify_all();
}

void link::perform(sentinel_question& question) {
    const auto& of = question.of;
    lock held(mutex_);
    if (of->end || of->cut || silent_) return; // Its user may have destroyed what it uses.
    held.unlock();
    const bool is_last = of->is_last(question.what);
    held.lock();
    if (of->end) return;
    if (!is_last) return hand_out(of, std::move(question.what));
    const auto id = std::get<protocol::operation_id>(of->source);
    session_.cancel(id);
    operations_.erase(id);
    end_feed(of, {{}, protocol::replies_end::sentinel});
}

bool link::is_told(const connection_event& what) const {
    return options_.on_event &&
           (!silent_ || (tells_end_ && std::holds_alternative<event::closed>(what)));
}

void link::perform(connection_event& what) {
    if (!is_told(what)) return;
    if (face_ == face::asynchronous) return options_.on_event(what);
    try {
        options_.on_event(what);
    } catch (...) {
        // Whom to tell? It is the function that is told of everything else.
    }
}

void link::perform(credentials_question&) {
    lock held(mutex_);
    if (silent_) return;
    const auto asked_by = transport_;
    const auto info = session_.info();
    held.unlock();
    try {
        const auto who = options_.credentials_provider(info);
        held.lock();
        if (asked_by == transport_) session_.connect(who);
    } catch (...) {
        const error why(errc::callback_threw, "credentials_provider: " + text_of_exception());
        if (!held.owns_lock()) held.lock();
        if (face_ == face::blocking) report(event::asynchronous_error{why});
        lose_transport(asked_by, why);
        if (face_ == face::asynchronous) throw; // Comes out of the executor's `run`.
    }
}

void link::perform(last_drain&) {
    const lock held(mutex_);
    session_.drain_all(net::steady_now(), options_.drain_timeout,
                       *drain_deadline_ - options_.drain_timeout);
    schedule_turn();
}

void link::take_events() {
    while (auto event = session_.next_event()) {
        std::visit([this](auto& what) { take(what); }, *event);
    }
}

void link::report(connection_event what) {
    if (!is_told(what)) return;
    tasks_.emplace_back(std::move(what));
    schedule_turn();
}

void link::take(protocol::open_requested& what) {
    if (!session_.is_closed() && !abandoned_) open(what.server);
}

void link::take(protocol::tls_requested&) { ask_for_tls(transport_); }

void link::take(protocol::connect_requested&) {
    if (options_.credentials_provider) {
        tasks_.emplace_back(credentials_question{});
        return;
    }
    protocol::credentials who;
    who.user = options_.user;
    who.pass = options_.password;
    who.auth_token = options_.token;
    session_.connect(who);
}

void link::take(protocol::connected& what) {
    connected_server_ = protocol::to_string(*session_.pool().current());
    for (auto& entry : std::exchange(connecting_, {})) {
        complete_later<void>(std::move(entry.who), {});
    }
    report(event::connected{connected_server_, what.again});
    serve_room_waiters();
}

void link::take(protocol::disconnected& what) {
    drop_transport();
    const auto server = std::exchange(connected_server_, {});
    if (what.was_connected) {
        report(event::disconnected{from_server(what.why, server)});
    } else if (connecting_.empty()) {
        // Nobody else would tell why it takes so long.
        report(event::asynchronous_error{std::move(what.why)});
    }
    serve_room_waiters(); // Nobody makes room any more.
}

void link::take(protocol::subscription_message& what) {
    if (last_sid_ != what.subscription || !last_feed_) {
        const auto found = subscriptions_.find(what.subscription);
        if (found == subscriptions_.end()) return;
        last_sid_ = what.subscription;
        last_feed_ = found->second;
    }
    hand_out(last_feed_, session_.keep(what.message));
}

void link::take(protocol::subscription_ended& what) {
    const auto found = subscriptions_.find(what.subscription);
    if (found == subscriptions_.end()) return;
    const auto of = std::move(found->second);
    forget(what.subscription);
    end_feed(of, {std::move(what.why), {}});
    advance_drain();
}

void link::take(protocol::request_answered& what) {
    auto found = operations_.extract(what.operation);
    if (found.empty()) return;
    if (auto** const here = std::get_if<awaited<message>*>(&found.mapped())) {
        return tell(**here, std::move(what.reply));
    }
    if (auto* const who = std::get_if<waiting<message>>(&found.mapped())) {
        complete_later<message>(std::move(*who), std::move(what.reply));
    }
}

void link::take(protocol::reply_received& what) {
    const auto found = operations_.find(what.operation);
    if (found == operations_.end()) return;
    const auto& of = std::get<feed_pointer>(found->second);
    if (of->is_last) {
        tasks_.emplace_back(sentinel_question{of, std::move(what.reply)});
    } else {
        hand_out(of, std::move(what.reply));
    }
}

void link::take(protocol::replies_ended& what) {
    auto found = operations_.extract(what.operation);
    if (found.empty()) return;
    const auto of = std::get<feed_pointer>(found.mapped());
    feed_end how;
    if (what.how) {
        how.how = *what.how;
    } else {
        how.why = what.how.error();
    }
    if (of->is_last) {
        // Behind the answers that are still to be asked about.
        tasks_.emplace_back(end_of_answers{of, std::move(how)});
    } else {
        end_feed(of, std::move(how));
    }
}

void link::perform(end_of_answers& end) {
    const lock held(mutex_);
    if (!end.of->end) end_feed(end.of, std::move(end.how));
}

void link::take(protocol::flushed& what) {
    auto found = operations_.extract(what.operation);
    if (found.empty()) return;
    if (auto** const here = std::get_if<awaited<nanoseconds>*>(&found.mapped())) {
        return tell(**here, what.round_trip);
    }
    if (auto* const who = std::get_if<waiting<nanoseconds>>(&found.mapped())) {
        return complete_later<nanoseconds>(std::move(*who), what.round_trip);
    }
    if (auto* const who = std::get_if<waiting<void>>(&found.mapped())) {
        const auto& took = what.round_trip;
        complete_later<void>(std::move(*who), took ? result<>() : result<>(took.error()));
    }
}

void link::take(protocol::error_received& what) {
    report(event::asynchronous_error{as_error(what)});
}

void link::take(protocol::info_changed&) {} // `server_info` asks the session.

void link::take(protocol::servers_discovered& what) {
    // Those that the first server names are no discovery: the user is only about to be connected.
    if (!connecting_.empty()) return;
    report(event::servers_discovered{std::move(what.servers)});
}

void link::take(protocol::lame_duck&) { report(event::lame_duck{}); }

void link::take(protocol::closed& what) {
    drop_transport();
    delaying_feeds_.clear();
    connected_server_.clear();
    if (!what.why.code()) what.why = closing_why_;
    const error why = what.why.code() ? what.why : error(protocol::errc::closed);
    // First this: whoever has waited for the end may destroy the connection. To close on demand is
    // no error.
    report(event::closed{what.why == protocol::errc::closed ? error() : what.why});
    for (auto& entry : std::exchange(connecting_, {})) {
        complete_later<void>(std::move(entry.who), why);
    }
    for (auto& entry : std::exchange(draining_, {})) {
        complete_later<void>(std::move(entry.who),
                             what.why.code() ? result<>(what.why) : result<>());
    }
    serve_room_waiters();
}

} // namespace pipit::client::detail
