// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_session.hpp>

#include <pipit/base/limits.hpp>
#include <pipit/protocol/detail/texts.hpp>
#include <pipit/protocol/error.hpp>

#include <algorithm>
#include <utility>

namespace pipit::protocol {

/// Takes what the protocol tells, and gives what the session's driver is told at once; what follows
/// from it is queued.
class client_session::translator {
public:
    explicit translator(client_session& session) : session_(session) {}

    template <class Event>
    std::optional<session_event> operator()(Event& event) const {
        return session_event(std::move(event));
    }
    std::optional<session_event> operator()(message_received& message) const {
        ++session_.statistics_.received_messages;
        if (message.subscription == session_.inbox_sid_) return session_.receive_reply(message);
        if (message.last) {
            session_.events_.emplace_back(subscription_ended{message.subscription, {}});
        }
        return subscription_message{message.subscription, message};
    }
    std::optional<session_event> operator()(pong_received&) const {
        session_.receive_pong();
        return std::nullopt;
    }
    std::optional<session_event> operator()(connected& event) const {
        session_.begin_connection();
        return event;
    }
    std::optional<session_event> operator()(disconnected& event) const {
        session_.leaving_ = leaving::no; // Also of one that had been told, but not connected yet.
        if (event.was_connected) session_.lose_connection();
        return std::move(event);
    }
    std::optional<session_event> operator()(error_received& event) const {
        session_.receive_error(event);
        return std::move(event);
    }
    std::optional<session_event> operator()(lame_duck& event) const {
        session_.notice_lame_duck();
        return event;
    }
    std::optional<session_event> operator()(closed& event) const {
        session_.close_everything(event.why);
        session_.events_.emplace_back(std::move(event));
        return std::nullopt;
    }

private:
    client_session& session_;
};

client_session::client_session(client_session_options options, random_source random)
    : options_(std::move(options)),
      protocol_(std::move(options_.protocol), random_source(random())),
      names_(random()),
      chance_(random()) {
    inbox_ = new_inbox() + '.';
}

void client_session::transport_closed(steady_time now, error why) {
    now_ = now;
    protocol_.transport_closed(now, std::move(why));
}

void client_session::commit(std::size_t received_bytes, steady_time now) {
    now_ = now;
    statistics_.received_bytes += received_bytes;
    protocol_.commit(received_bytes, now);
}

std::optional<session_event> client_session::next_event() {
    for (;;) {
        if (!events_.empty()) {
            auto event = std::move(events_.front());
            events_.pop_front();
            return event;
        }
        auto event = protocol_.next_event();
        if (auto* const message = event ? std::get_if<message_received>(&*event) : nullptr) {
            // The way of nearly everything; `std::visit` would cost more than the rest of it.
            if (auto told = translator(*this)(*message)) return told;
        } else if (event) {
            if (auto told = std::visit(translator(*this), *event)) return told;
        } else if (!advance_draining() && !advance_leaving()) {
            return std::nullopt;
        }
    }
}

void client_session::consume_output(std::size_t sent_bytes) {
    statistics_.sent_bytes += sent_bytes;
    protocol_.consume_output(sent_bytes);
}

void client_session::take_output(std::string& into) {
    protocol_.take_output(into);
    statistics_.sent_bytes += into.size();
}

std::optional<steady_time> client_session::next_deadline() const noexcept {
    auto due = operations_.next_deadline();
    if (due && grace_) due = std::max(*due, *grace_);
    const auto consider = [&due](std::optional<steady_time> when) {
        if (when) due = due ? std::min(*due, *when) : when;
    };
    consider(protocol_.next_deadline());
    consider(next_step_of_leaving());
    return due;
}

void client_session::expire(steady_time now) {
    now_ = now;
    protocol_.expire(now);
    const auto due = operations_.next_deadline();
    if (!due || *due > now) return;
    if (!grace_ && now - *due >= limits::client_suspended) {
        grace_ =
            now + limits::client_resume_grace; // The answers may be here, and nobody read them.
    }
    if (grace_ && now < *grace_) return;
    grace_.reset();
    while (auto* const late = operations_.expired(now)) expire_operation(*late);
}

message client_session::keep(const message_received& received) const {
    const auto& block = protocol_.held_block();
    if (block) {
        return {block, received.subject, received.reply, received.headers, received.payload};
    }
    return {received.subject, received.reply, received.headers, received.payload};
}

result<> client_session::publish(const publication& message) {
    if (draining_ == draining::publications) return errc::draining;
    auto published = protocol_.publish(message);
    if (published) ++statistics_.sent_messages;
    return published;
}

result<sid> client_session::subscribe(bytes_view subject, bytes_view queue) {
    if (draining_ != draining::no) return errc::draining;
    return protocol_.subscribe(subject, queue);
}

void client_session::unsubscribe(sid subscription, std::uint64_t max) {
    if (max == 0 || protocol_.subject_of(subscription) == nullptr) {
        return protocol_.unsubscribe(subscription);
    }
    protocol_.unsubscribe(subscription, max);
    if (protocol_.subject_of(subscription) != nullptr) return;
    events_.emplace_back(subscription_ended{subscription, {}});
}

void client_session::begin_connection() {
    ++connection_;
    ++statistics_.connects;
    server_ = to_string(*protocol_.pool().current());
    operations_.for_each([&](operation& each) {
        if (each.connection != connection_) return;
        if (each.what == operation::kind::flush && !ping_for(each)) {
            answer(each, errc::output_full);
        } else if (each.what == operation::kind::drain_all && draining_ == draining::publications) {
            ping_for_drain(each); // Otherwise it waits for requests first.
        }
    });
}

void client_session::lose_connection() {
    // A flush that was asked for while the server is left is about what went over this connection
    // as well: it may be lost unless it has been answered.
    const bool may_have_lost = !pings_.empty();
    pings_.clear();
    drains_without_ping_.clear();
    operations_.for_each([&](operation& each) {
        const bool concerns_it = each.connection <= connection_ ||
                                 (may_have_lost && each.what == operation::kind::flush);
        if (concerns_it && each.what != operation::kind::drain_all) {
            answer(each, error(errc::connection_lost, lost_text(each)));
        }
    });
    const auto* const drained = operations_.find(drain_operation_);
    const bool was_sending = drained != nullptr && drained->connection <= connection_;
    if (draining_ == draining::publications && was_sending) {
        return protocol_.close(error(errc::connection_lost, "before everything was sent"));
    }
    if (draining_ == draining::subscriptions) {
        end_all_subscriptions(error(errc::connection_lost, lost_text({})));
    }
    (void)advance_draining();
}

/// Whatever is still under way ends before `closed` is told.
void client_session::close_everything(const error& why) {
    const auto reason = why.code() ? error(errc::closed, why.message()) : error(errc::closed);
    leaving_ = leaving::no;
    operations_.for_each([&](operation& each) {
        const bool is_internal =
            each.what == operation::kind::drain || each.what == operation::kind::drain_all;
        if (is_internal) return operations_.erase(each);
        answer(each, reason);
    });
    for (const auto subscription : protocol_.subscriptions()) {
        if (subscription != inbox_sid_) end_subscription(subscription, why);
    }
}

void client_session::receive_error(const error_received& received) {
    const auto reason = [&] {
        return error(as_error(received).code(), received.text + " (" + server_ + ')');
    };
    if (received.subscription && received.subscription != inbox_sid_) {
        events_.emplace_back(subscription_ended{*received.subscription, reason()});
    } else if (received.subscription || received.kind == error_received::about::publish) {
        refuse_requests(received, reason());
    }
}

bool client_session::ping_for(operation& waiting) {
    if (!protocol_.ping()) return false;
    waiting.asked = now_;
    pings_.push_back(waiting.id);
    return true;
}

/// Any number of subscriptions may be drained at the same time.
void client_session::ping_for_drain(operation& waiting) {
    if (!drains_without_ping_.empty() || !ping_for(waiting)) {
        drains_without_ping_.push_back(waiting.id);
    }
}

void client_session::ping_for_next_drain() {
    while (!drains_without_ping_.empty()) {
        auto* const next = operations_.find(drains_without_ping_.front());
        if (next != nullptr && !ping_for(*next)) return;
        drains_without_ping_.pop_front();
        if (next != nullptr) return;
    }
}

void client_session::receive_pong() {
    if (pings_.empty()) return;
    auto* const answered = operations_.find(pings_.front());
    pings_.pop_front();
    ping_for_next_drain();
    if (answered == nullptr) return; // It was cancelled, or has been waited for too long.
    switch (answered->what) {
    case operation::kind::flush: {
        events_.emplace_back(flushed{answered->id, now_ - answered->asked});
        return operations_.erase(*answered);
    }
    case operation::kind::drain: return end_drain(*answered, {});
    case operation::kind::drain_all:
        if (draining_ == draining::subscriptions) return end_all_subscriptions({});
        return protocol_.close();
    default: break;
    }
}

result<operation_id> client_session::flush(steady_time now, nanoseconds timeout) {
    now_ = now;
    if (is_closed()) return errc::closed;
    auto* const added = add_operation(operation::kind::flush, timeout);
    if (added == nullptr) return errc::output_full;
    const auto id = added->id;
    if (sends() && !ping_for(*added)) {
        operations_.erase(*added);
        return errc::output_full;
    }
    return id;
}

void client_session::drain(sid subscription, steady_time now, nanoseconds timeout) {
    now_ = now;
    if (protocol_.subject_of(subscription) == nullptr) return;
    if (protocol_.is_draining(subscription)) return;
    if (!protocol_.drain(subscription)) {
        events_.emplace_back(subscription_ended{subscription, {}});
        return;
    }
    auto* const added = add_operation(operation::kind::drain, timeout);
    if (added == nullptr) return end_subscription(subscription, errc::output_full);
    added->subscription = subscription;
    added->connection = connection_; // Also while it is left: what is on its way comes over it.
    ping_for_drain(*added);
}

void client_session::end_drain(operation& ended, error why) {
    const auto subscription = ended.subscription;
    operations_.erase(ended);
    end_subscription(subscription, std::move(why));
}

void client_session::end_subscription(sid subscription, error why) {
    if (protocol_.subject_of(subscription) == nullptr) return; // Its user was faster.
    protocol_.unsubscribe(subscription);
    events_.emplace_back(subscription_ended{subscription, std::move(why)});
}

void client_session::drain_all(steady_time now, nanoseconds timeout,
                               std::optional<steady_time> began) {
    now_ = now;
    if (is_closed() || draining_ != draining::no) return;
    auto* const added = add_operation(operation::kind::drain_all, timeout, began.value_or(now));
    if (added == nullptr) return protocol_.close(errc::output_full);
    drain_operation_ = added->id;
    draining_ = draining::subscriptions;
    if (leaving_ == leaving::soon) leaving_ = leaving::no; // It ends where it is.
    for (const auto subscription : protocol_.subscriptions()) {
        if (subscription == inbox_sid_) continue;
        if (!protocol_.drain(subscription)) {
            events_.emplace_back(subscription_ended{subscription, {}});
        }
    }
    if (is_connected()) {
        ping_for_drain(*added);
    } else {
        draining_ = draining::requests;
    }
}

void client_session::end_all_subscriptions(const error& why) {
    for (const auto subscription : protocol_.subscriptions()) {
        if (subscription != inbox_sid_) end_subscription(subscription, why);
    }
    draining_ = draining::requests;
}

/// When no request is under way any more: the rest is sent, and then it is over. Returns whether
/// something happened.
bool client_session::advance_draining() {
    if (draining_ != draining::requests || requests_ != 0) return false;
    draining_ = draining::publications;
    auto* const drained = operations_.find(drain_operation_);
    if (drained == nullptr) return false; // It was closed meanwhile.
    drained->connection = next_connection();
    if (sends()) {
        ping_for_drain(*drained);
    } else if (!protocol_.has_offline_output()) {
        protocol_.close();
    }
    return true;
}

/// With the number of the connection that it goes over: this one, or the next.
client_session::operation* client_session::add_operation(operation::kind what, nanoseconds timeout,
                                                         steady_time began) {
    if (operations_.size() + events_.size() >= limits::client_operations) return nullptr;
    auto* const added = operations_.add(what, began, timeout);
    if (added != nullptr) added->connection = next_connection();
    return added;
}

} // namespace pipit::protocol
