// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/router.hpp>

#include <pipit/base/limits.hpp>
#include <pipit/broker/planted_bug.hpp>
#include <pipit/protocol/subject.hpp>
#include <pipit/protocol/writer.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace pipit::broker {
namespace {

void append_number(std::string& to, std::size_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    to.append(digits, end);
}

bool is_of_a_client(const dispatch& dispatch) noexcept {
    return dispatch.publisher != nullptr ||
           (dispatch.from_peer != nullptr && dispatch.from_peer->publisher != 0);
}

} // namespace

std::uint8_t special_flags(const protocol::message_operation& message) noexcept {
    auto flags = delivery::always;
    if (message.has_headers) flags |= delivery::strips_headers;
    if (!message.reply.empty()) flags |= delivery::grants_replies;
    return flags;
}

router::router(outbox& outbox, peer_link& peers, std::uint64_t seed)
    : outbox_(outbox),
      peers_(peers),
      random_(seed),
      hash_seed_(random_()),
      responses_(limits::pending_responses),
      answers_secret_(random_()),
      metric_ids_(random_()),
      chosen_(peers.loop_count()) {}

void router::write(subscription& to, session& session, const dispatch& dispatch) {
    auto& chain = outbox_.chain_of(session);
    auto prefix = to.delivery_prefix();
    if (!dispatch.message.has_headers) prefix.remove_prefix(1);
    const auto tail = dispatch.tail;
    if (to.literal && tail.size() < output::reference_bytes_min) [[likely]] {
        const auto size = prefix.size() + tail.size();
        if (char* room = chain.room(size)) [[likely]] {
            std::memcpy(room, prefix.data(), prefix.size());
            std::memcpy(room + prefix.size(), tail.data(), tail.size());
            chain.advance(size);
            outbox_.count(size);
            return;
        }
    }
    if (to.literal) {
        chain.append(prefix);
    } else {
        chain.append(prefix.substr(0, prefix.find(' ') + 1));
        chain.append(dispatch.subject);
        chain.append(to.sid_with_blanks());
    }
    if (tail.size() < output::reference_bytes_min || dispatch.storage == tail_storage::transient) {
        chain.append(tail);
    } else if (dispatch.storage == tail_storage::scratch) {
        chain.append_borrowed(tail);
    } else {
        chain.append_shared(tail, *dispatch.message.whole);
    }
    outbox_.count(prefix.size() + tail.size());
    outbox_.check_pending(session);
}

void router::write_without_headers(subscription& to, session& session, const dispatch& dispatch) {
    const auto& message = dispatch.message;
    std::string line = "MSG ";
    line += dispatch.subject;
    line += to.sid_with_blanks();
    if (!message.reply.empty()) {
        line += message.reply;
        line += ' ';
    }
    append_number(line, message.payload.size());
    line += "\r\n";
    auto& chain = outbox_.chain_of(session);
    chain.append(line);
    chain.append(message.payload);
    chain.append("\r\n");
    outbox_.count(line.size() + message.payload.size());
    outbox_.check_pending(session);
}

bool router::deliver(subscription& to, dispatch& dispatch) {
    auto& session = *to.owner;
    if ((session.delivery_flags & dispatch.special) != 0 || to.limited || dispatch.trace != nullptr)
        [[unlikely]] {
        return deliver_specially(to, dispatch);
    }
    if (&session == dispatch.publisher && !session.echo) return false;
    ++to.delivered;
    ++session.sent.messages;
    session.sent.bytes += dispatch.size;
    write(to, session, dispatch);
    return true;
}

bool router::deliver_specially(subscription& to, dispatch& dispatch) {
    return to.alias ? deliver_alias(to, dispatch) : deliver_checked(to, dispatch, to);
}

/// A delivery that something stands against: an end, a limit, a filter, a full chain, a client
/// without headers. `matched` is the alias that it came by, or the subscription itself.
bool router::deliver_checked(subscription& to, dispatch& dispatch, const subscription& matched) {
    auto& session = *to.owner;
    if ((session.delivery_flags & delivery::internal) != 0) return deliver_internally(to, dispatch);
    const auto& message = dispatch.message;
    auto* trace = dispatch.trace;
    const auto refuse = [&](std::string_view why) {
        if (trace != nullptr) trace->add(matched, why, dispatch.now.wall);
        return false;
    };
    if (&session == dispatch.publisher && !session.echo) return refuse(trace_errors::no_echo);
    if ((session.delivery_flags & delivery::filtered) != 0 &&
        session.permissions->rules().denies_delivery(dispatch.subject, to.queue())) {
        return refuse(trace_errors::subscription_denies);
    }
    if (to.finished) return refuse(trace_errors::subscription_closed);
    if (session.ended()) return refuse(trace_errors::client_closed);
    if (trace != nullptr && trace->only()) {
        trace->add(matched, {}, dispatch.now.wall);
        return true; // As if delivered: nobody is told that nobody is there.
    }
    if ((session.delivery_flags & delivery::congested) != 0 && is_of_a_client(dispatch)) {
        if (!stalls_fast_producers_) return refuse(trace_errors::not_stalled);
        if (dispatch.from_peer != nullptr) {
            dispatch.behind = &session; // The publisher is another loop's, or was read long ago.
        } else {
            const auto counted = stalled_clients_;
            stall(*dispatch.publisher, session, dispatch.now);
            session.stalls += stalled_clients_ - counted;
        }
    }
    if (trace != nullptr) trace->add(matched, {}, dispatch.now.wall);
    ++to.delivered;
    if (to.max != 0 && to.delivered >= to.max) {
        to.finished = true; // Whoever else it would match in this dispatch passes it by.
        finished_.push_back(&to);
        if (log_last_delivery) log_last_delivery(session, to);
    }
    const bool strips =
        message.has_headers && (session.delivery_flags & delivery::strips_headers) != 0;
    ++session.sent.messages;
    session.sent.bytes += strips ? message.payload.size() : dispatch.size;
    if (strips) {
        write_without_headers(to, session, dispatch);
    } else {
        write(to, session, dispatch);
    }
    if ((session.delivery_flags & delivery::grants_replies) != 0 && !message.reply.empty()) {
        session.permissions->grant_reply(message.reply, dispatch.now.steady);
    }
    if ((session.delivery_flags & delivery::traced) != 0) log_delivery(session, to, dispatch);
    return true;
}

/// To the server itself. A trace does not speak of it, as if nobody were there.
bool router::deliver_internally(subscription& to, dispatch& dispatch) {
    if (dispatch.trace != nullptr && dispatch.trace->only()) return true;
    ++to.delivered;
    ++dispatch.internal;
    take_internally(to, dispatch);
    return true;
}

/// As nats-server, it counts only what makes the publisher wait longer.
void router::stall(session& publisher, const session& slow, moment now) {
    const auto wait = slow.pending_bytes() >= outbox_.max_pending_bytes() ? limits::stall_max / 2
                                                                          : limits::stall_min;
    const auto begin = std::max(publisher.stalled_until, now.steady);
    const auto latest = now.steady + limits::stall_max;
    if (begin >= latest) return;
    publisher.stalled_until = std::min(begin + wait, latest);
    ++stalled_clients_;
}

bool router::deliver_to_member(queue_group& group, dispatch& dispatch) {
    const auto count = group.members.size();
    if (count == 0) return false;
    auto at = random_.below(static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
        if (deliver(*group.members[at], dispatch)) return true;
        if (++at == count) at = 0;
    }
    return false;
}

/// One member of the group, of this loop or another, each with the same chance.
bool router::deliver_to_group(queue_group& group, dispatch& dispatch, std::uint64_t tried) {
    const auto deliver_here = [&] {
        if (!deliver_to_member(group, dispatch)) return false;
        ++dispatch.delivered;
        return true;
    };
    if (group.remotes.empty()) return deliver_here();

    std::uint32_t remote_count = 0;
    for (const auto& remote : group.remotes) {
        if ((tried >> remote.peer & 1) == 0) remote_count += remote.count;
    }
    if (remote_count == 0) return deliver_here();
    const auto member_count = static_cast<std::uint32_t>(group.members.size());
    if (random_.below(member_count + remote_count) < member_count && deliver_here()) return true;

    auto pick = random_.below(remote_count);
    for (const auto& remote : group.remotes) {
        if ((tried >> remote.peer & 1) != 0) continue;
        if (pick < remote.count) {
            chosen_[remote.peer].push_back({remote.group_id, group.id});
            dispatch.told |= std::uint64_t{1} << remote.peer;
            if (planted::is(planted::bug::delivers_to_two_members)) deliver_here();
            break;
        }
        pick -= remote.count;
    }
    return true;
}

/// Groups of one name stand together, see `subject_index::match()`.
void router::deliver_to_groups(std::span<queue_group* const> groups, dispatch& dispatch) {
    while (!groups.empty()) {
        std::size_t count = 1;
        while (count < groups.size() && groups[count]->queue == groups[0]->queue) ++count;
        if (count == 1) {
            deliver_to_group(*groups[0], dispatch, 0);
        } else {
            deliver_to_namesakes(groups.first(count), dispatch, 0);
        }
        groups = groups.subspan(count);
    }
}

/// The groups of one name on all subjects that match are one group: each member has the same
/// chance.
bool router::deliver_to_namesakes(std::span<queue_group* const> groups, dispatch& dispatch,
                                  std::uint64_t tried) {
    std::uint32_t member_count = 0;
    for (const auto* group : groups) member_count += group->member_count();
    if (member_count == 0) return false;
    auto pick = random_.below(member_count);
    std::size_t at = 0;
    while (pick >= groups[at]->member_count()) pick -= groups[at++]->member_count();
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (deliver_to_group(*groups[(at + i) % groups.size()], dispatch, tried)) return true;
    }
    return false;
}

/// False: nobody got it.
bool router::give(const match_result& targets, session& publisher, bytes_view subject,
                  const protocol::message_operation& message, moment now, message_trace* trace) {
    dispatch dispatch{.of = *publisher.of,
                      .subject = subject,
                      .message = message,
                      .tail = message.tail,
                      .storage =
                          message.whole == nullptr ? tail_storage::scratch : tail_storage::block,
                      .publisher = &publisher,
                      .special = special_flags(message),
                      .now = now,
                      .size = message.headers.size() + message.payload.size(),
                      .trace = trace == nullptr ? nullptr : &trace->egresses};
    if (dispatch.tail.empty()) {
        dispatch.tail = canonical_tail(message);
        dispatch.storage = tail_storage::transient;
    }
    for (auto* each : targets.plain) dispatch.delivered += deliver(*each, dispatch);
    if (!targets.groups.empty()) deliver_to_groups(targets.groups, dispatch);
    dispatch.told |= targets.peers;
    const bool passed = dispatch.told != 0 && pass_on(dispatch, targets.peers, trace);
    finish(dispatch);
    return dispatch.delivered != 0 || passed;
}

void router::publish(account& of, const protocol::message_operation& message, moment now) {
    dispatch dispatch{.of = of,
                      .subject = message.subject,
                      .message = message,
                      .tail = canonical_tail(message),
                      .special = special_flags(message),
                      .now = now,
                      .size = message.headers.size() + message.payload.size()};
    (void)route(dispatch, nullptr);
}

/// Gives a message to whoever wants it. False: nobody did.
bool router::route(dispatch& dispatch, message_trace* trace) {
    const auto& targets = cache_.find(dispatch.of, dispatch.subject);
    for (auto* each : targets.plain) dispatch.delivered += deliver(*each, dispatch);
    if (!targets.groups.empty()) deliver_to_groups(targets.groups, dispatch);
    dispatch.told |= targets.peers;
    const bool passed = dispatch.told != 0 && pass_on(dispatch, targets.peers, trace);
    finish(dispatch);
    return dispatch.delivered != 0 || passed;
}

/// Gives it to other loops, and to what this loop itself wants under its own bit: imports of
/// services and answers to them. What was matched is not to be looked at any more afterwards.
/// False: there is nobody after all.
bool router::pass_on(dispatch& dispatch, std::uint64_t plain_peers, message_trace* trace) {
    const auto here = std::uint64_t{1} << peers_.loop();
    const bool inside = (dispatch.told & here) != 0;
    dispatch.told &= ~here;
    const bool sole = dispatch.sole && dispatch.told == 0 && dispatch.delivered == 0;
    dispatch.sole = dispatch.sole && !inside;
    if (dispatch.told != 0) send_to_peers(dispatch, plain_peers & ~here, trace);
    const bool served = inside && serve(dispatch, sole, trace);
    return served || dispatch.told != 0;
}

void router::publish_traced(session& publisher, bytes_view subject,
                            const protocol::message_operation& message, moment now,
                            std::unique_ptr<message_trace> trace) {
    trace->number = next_trace_number_++;
    publish(publisher, subject, message, now, trace.get());
    if (trace->awaited_loops == 0) return trace_complete(*trace, now);
    const auto number = trace->number;
    open_traces_.emplace(number, std::move(trace));
    if (open_traces_.size() > open_traces_max) complete(open_traces_.begin()->first, now);
}

/// Counts what was delivered, and removes subscriptions that had their last message.
void router::finish(const dispatch& dispatch) {
    if (dispatch.trace != nullptr && dispatch.trace->only()) return;
    const auto sent = dispatch.delivered - dispatch.internal;
    dispatch.of.sent.messages += sent;
    dispatch.of.sent.bytes += sent * dispatch.size;
    if (!finished_.empty()) remove_finished();
}

void router::remove_finished() {
    for (auto* each : std::exchange(finished_, {})) unsubscribe(*each);
}

bytes_view router::canonical_tail(const protocol::message_operation& message) {
    auto& tail = tail_scratch_;
    tail.clear();
    if (!message.reply.empty()) {
        tail += message.reply;
        tail += ' ';
    }
    if (message.has_headers) {
        tail += message.header_size_text;
        tail += ' ';
    }
    tail += message.size_text;
    tail += "\r\n";
    tail += message.headers;
    tail += message.payload;
    tail += "\r\n";
    return tail;
}

/// Goes to the requester's own plain subscription on the reply subject.
void router::tell_nobody(session& requester, bytes_view reply, bytes_view subject) {
    reply_targets_.clear();
    requester.of->index.match(reply, reply_targets_);
    for (const auto* each : reply_targets_.plain) {
        if (each->owner != &requester || each->finished || each->alias) continue;
        std::string line;
        protocol::append_no_responders(line, reply, each->sid(), subject);
        outbox_.send(requester, line);
        return;
    }
}

} // namespace pipit::broker
