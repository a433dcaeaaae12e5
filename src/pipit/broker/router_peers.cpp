// SPDX-License-Identifier: Apache-2.0
// The router's side that faces the other loops of the server.
#include <pipit/broker/router.hpp>

#include <pipit/base/limits.hpp>
#include <pipit/broker/planted_bug.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <bit>
#include <utility>

namespace pipit::broker {
namespace {

std::uint64_t bit(unsigned loop) noexcept { return std::uint64_t{1} << loop; }

protocol::message_operation operation_of(const peer_record& record) noexcept {
    protocol::message_operation message;
    message.subject = record.subject;
    message.reply = record.reply;
    message.headers = record.headers;
    message.payload = record.payload;
    message.has_headers = record.has_headers;
    message.tail = record.tail;
    message.whole = record.whole;
    return message;
}

dispatch dispatch_of(account& of, const peer_record& record,
                     const protocol::message_operation& message, moment now) noexcept {
    return {.of = of,
            .subject = record.subject,
            .message = message,
            .tail = record.tail,
            .storage = record.whole == nullptr ? tail_storage::transient : tail_storage::block,
            .special = special_flags(message),
            .now = now,
            .size = record.headers.size() + record.payload.size(),
            .from_peer = &record,
            .imported = record.imported};
}

/// As `new_answer_subject()` makes them.
bool is_measured_answer(bytes_view subject) noexcept {
    return subject.starts_with("_R_.") && subject.ends_with(".T");
}

} // namespace

void router::announce_interest(const account& of, bytes_view subject, bool interested) {
    peers_.send_to_all(peer_record::of(interest_change{of.id, subject, interested}));
}

void router::announce_members(const account& of, const queue_group& group) {
    const members_change change{.account = of.id,
                                .subject = group.subject_text,
                                .queue = group.queue,
                                .group_id = group.id,
                                .count = static_cast<std::uint32_t>(group.members.size())};
    peers_.send_to_all(peer_record::of(change));
}

void router::send_to_peers(dispatch& dispatch, std::uint64_t plain_peers, message_trace* trace) {
    auto* publisher = dispatch.publisher;
    const auto& message = dispatch.message;
    block_pointer block;
    if (dispatch.tail.size() >= peer_link::block_bytes_min) {
        block = peer_link::make_shared_block(dispatch.tail);
    }
    peer_record record{.kind = peer_record::type::message,
                       .has_headers = message.has_headers,
                       .imported = dispatch.imported,
                       .account = dispatch.of.id,
                       .subject = dispatch.subject,
                       .reply = message.reply,
                       .tail = dispatch.tail,
                       .headers = message.headers,
                       .payload = message.payload,
                       .count = static_cast<std::uint32_t>(std::popcount(dispatch.told)),
                       .publisher = publisher == nullptr ? 0 : publisher->client_id,
                       .publisher_account =
                           (publisher == nullptr ? dispatch.of : *publisher->of).id,
                       .whole = block ? &block : nullptr};
    if (dispatch.sole && dispatch.delivered == 0 && publisher != nullptr &&
        publisher->no_responders && !message.reply.empty()) {
        record.request_number = next_request_number_++;
    }
    if (trace != nullptr) {
        record.trace_number = trace->number;
        record.trace_only = trace->egresses.only();
        record.trace_ingress = trace->egresses.ingress();
        trace->awaited_loops += record.count;
    }
    responder_facts responder;
    const bool measured = publisher != nullptr && is_measured_answer(dispatch.subject);
    if (measured) responder = responder_of(dispatch);
    for (unsigned peer = 0; peer < chosen_.size(); ++peer) {
        if ((dispatch.told & bit(peer)) == 0) continue;
        record.plain = (plain_peers & bit(peer)) != 0;
        if (measured) {
            peers_.send(peer,
                        peer_record::of(peer_responder{responder.text, responder.round_trip}));
        }
        record.groups = chosen_[peer];
        peers_.send(peer, record);
        chosen_[peer].clear();
        if (publisher != nullptr && peers_.is_full(peer)) {
            publisher->wait_for_loops(bit(peer), dispatch.now.steady);
        }
    }
}

bool router::take_from_peers(moment now) {
    peers_.fetch();
    return take_rest(now);
}

bool router::take_rest(moment now) {
    if (!peers_.has_rest()) return false;
    told_of_congestion_ = 0;
    const auto take = [&](unsigned source, const peer_record& record) {
        switch (record.kind) {
        case peer_record::type::interest: return on_interest(source, record.interest());
        case peer_record::type::members: return on_members(source, record.members());
        case peer_record::type::message: return on_message(source, record, now);
        case peer_record::type::returned: return on_returned(record, now);
        case peer_record::type::nobody: return on_nobody(record, now);
        case peer_record::type::responder: return on_responder(record.responder());
        case peer_record::type::congested: return on_congested(record.publisher, now);
        case peer_record::type::traced: return on_traced(record.traced(), now);
        }
    };
    peers_.read(take, [this] { return outbox_.wants_flush(); });
    return true;
}

/// Accounts reach the loops one after the other. What is told of one before it has come is kept.
account* router::account_told_of(account_id id) {
    auto* known = account_of(id);
    if (known != nullptr || planted::is(planted::bug::drops_early_interest)) return known;
    auto& unknown = unknown_accounts_[id];
    if (!unknown) unknown = std::make_unique<account>(id, gone_, hash_seed_);
    return unknown.get();
}

void router::forget_if_unknown(const account& of) {
    if (of.shared == nullptr && of.index.subject_count() == 0) unknown_accounts_.erase(of.id);
}

void router::on_interest(unsigned source, const interest_change& change) {
    auto* of = account_told_of(change.account);
    if (of == nullptr) return;
    of->index.set_peer_interest(change.subject, source, change.has_interest);
    if (protocol::is_literal(change.subject)) {
        cache_.drop(*of, change.subject, of->index.hash(change.subject));
    }
    if (!change.has_interest && !responses_.empty()) on_interest_lost(*of, change.subject);
    forget_if_unknown(*of);
}

void router::on_members(unsigned source, const members_change& change) {
    auto* of = account_told_of(change.account);
    if (of == nullptr) return;
    auto* group = of->index.set_peer_members(
        change.subject, change.queue, {source, change.group_id, change.count}, next_group_id_);
    if (group != nullptr) {
        if (group->empty()) {
            retire(*of, *group);
        } else {
            groups_by_id_[group->id] = group;
        }
        if (protocol::is_literal(change.subject)) {
            cache_.drop(*of, change.subject, of->index.hash(change.subject));
        }
    }
    forget_if_unknown(*of);
}

/// Deletes a group that has no member on any loop.
void router::retire(account& of, queue_group& group) {
    if (!peers_.alone()) {
        groups_by_id_.erase(group.id);
        retired_groups_.emplace_back(group.id, group.queue);
        if (retired_groups_.size() > limits::retired_groups) retired_groups_.pop_front();
    }
    of.index.drop_if_empty(group);
}

std::string router::queue_of_group(std::uint64_t id) const {
    const auto group = groups_by_id_.find(id);
    if (group != groups_by_id_.end()) return group->second->queue;
    for (const auto& [retired, queue] : retired_groups_) {
        if (retired == id) return queue;
    }
    return {};
}

/// To a member on this loop of the group, or of another one of its name that wants the message: the
/// origin has chosen among all of those, and does not ask this loop again.
bool router::deliver_to_name(std::uint64_t group_id, dispatch& dispatch) {
    const auto found = groups_by_id_.find(group_id);
    auto* const group = found == groups_by_id_.end() ? nullptr : found->second;
    if (group != nullptr && deliver_to_member(*group, dispatch)) return true;
    const auto queue = queue_of_group(group_id);
    const auto& namesakes = cache_.find(dispatch.of, dispatch.subject).groups;
    return std::ranges::any_of(namesakes, [&](queue_group* each) {
        return each != group && each->queue == queue && deliver_to_member(*each, dispatch);
    });
}

/// A message from another loop goes to this loop's own sessions, and to no third loop; but the
/// answer to a request that went from here to another account goes on in the account that asked.
void router::on_message(unsigned source, const peer_record& record, moment now) {
    const auto responder = std::exchange(peer_responder_, std::nullopt);
    auto* of = account_of(record.account);
    if (of == nullptr) return;
    const auto message = operation_of(record);
    auto dispatch = dispatch_of(*of, record, message, now);
    egress_events events(record.trace_only, record.trace_ingress);
    if (record.trace_number != 0) dispatch.trace = &events;
    if (responder) dispatch.responder = &*responder;
    bool answers = false;
    if (record.plain) {
        const auto& targets = cache_.find(*of, record.subject);
        for (auto* each : targets.plain) dispatch.delivered += deliver(*each, dispatch);
        answers = (targets.peers & bit(peers_.loop())) != 0;
    }
    memberless_.clear();
    for (const auto& chosen : record.groups) {
        if (deliver_to_name(chosen.id, dispatch)) {
            ++dispatch.delivered;
        } else {
            memberless_.push_back(chosen.origin_id);
        }
    }
    for (const auto origin_id : memberless_) {
        auto back = record;
        back.kind = peer_record::type::returned;
        back.groups = {};
        back.group_id = origin_id;
        back.tried = record.tried | bit(peers_.loop());
        // A loop answers for itself once: with the first that it returns, or with "nobody".
        if (dispatch.delivered != 0 || origin_id != memberless_.front()) back.request_number = 0;
        peers_.send(source, back);
    }
    const bool answered = answers && answer(dispatch);
    finish(dispatch);
    if (dispatch.behind != nullptr && told_of_congestion_ != record.publisher) {
        told_of_congestion_ = record.publisher;
        ++dispatch.behind->stalls;
        peers_.send(source, {.kind = peer_record::type::congested, .publisher = record.publisher});
    }
    if (record.trace_number != 0) {
        peers_.send(source, peer_record::of(peer_trace{record.trace_number, events.json()}));
    }
    const bool taken = dispatch.delivered != 0 || answered || !memberless_.empty();
    if (taken || record.request_number == 0) return;
    peers_.send(source, {.kind = peer_record::type::nobody,
                         .account = record.account,
                         .subject = record.subject,
                         .reply = record.reply,
                         .count = record.count,
                         .publisher = record.publisher,
                         .request_number = record.request_number});
}

/// A message of this loop's found no member of its group where it was sent: the next choice.
void router::on_returned(const peer_record& record, moment now) {
    if (planted::is(planted::bug::drops_returned_messages)) return;
    auto* of = account_of(record.account);
    if (of == nullptr) return;
    const auto message = operation_of(record);
    auto dispatch = dispatch_of(*of, record, message, now);
    dispatch.publisher = find_session(record.publisher);
    auto* trace = open_trace(record.trace_number);
    egress_events unwanted(record.trace_only,
                           record.trace_ingress); // Of a trace that was completed before its time.
    if (record.trace_number != 0) dispatch.trace = trace != nullptr ? &trace->egresses : &unwanted;
    const auto queue = queue_of_group(record.group_id);
    std::vector<queue_group*> namesakes;
    for (auto* group : cache_.find(*of, record.subject).groups) {
        if (group->queue == queue) namesakes.push_back(group);
    }
    const bool found = deliver_to_namesakes(namesakes, dispatch, record.tried);
    for (unsigned peer = 0; peer < chosen_.size(); ++peer) {
        if ((dispatch.told & bit(peer)) == 0) continue;
        auto again = record;
        again.kind = peer_record::type::message;
        again.plain = false;
        again.groups = chosen_[peer];
        peers_.send(peer, again);
        chosen_[peer].clear();
        if (trace != nullptr) ++trace->awaited_loops;
    }
    finish(dispatch);
    if (!found && record.request_number != 0) on_nobody(record, now);
}

void router::on_responder(const peer_responder& responder) {
    peer_responder_ = responder_facts{std::string(responder.facts), responder.round_trip};
}

/// Counts one more loop that has nobody for a request.
bool router::have_all_answered(const peer_record& record) {
    if (unanswered_.empty()) unanswered_.resize(limits::unanswered_requests);
    auto& request = unanswered_[record.request_number % unanswered_.size()];
    if (request.number > record.request_number) return false; // So late that it was given up.
    if (request.number < record.request_number) request = {record.request_number, 0};
    return ++request.nobody_count == record.count;
}

/// The requester hears of it when all loops that were told have said so.
void router::on_nobody(const peer_record& record, moment now) {
    if (record.count > 1 && !have_all_answered(record)) return;
    auto* requester = find_session(record.publisher);
    std::string reply(record.reply), subject(record.subject);
    // A request that went on to other accounts was made in the first of them.
    while (auto response = responses_.take(reply)) {
        tell_latency(*response, request_outcomes::nobody_there, nullptr, now);
        reply = response->reply;
        subject = response->requested;
    }
    if (requester != nullptr) tell_nobody(*requester, reply, subject);
}

/// Comes behind whatever the sender returned of the message, so that a second choice is awaited.
void router::on_traced(const peer_trace& traced, moment now) {
    auto* trace = open_trace(traced.trace_number);
    if (trace == nullptr) return;
    trace->egresses.append(traced.events);
    if (--trace->awaited_loops == 0) complete(traced.trace_number, now);
}

/// It waits as long as one that has met a reader of its own loop with several messages.
void router::on_congested(std::uint64_t publisher, moment now) {
    auto* stalled = find_session(publisher);
    const auto until = now.steady + limits::stall_max;
    if (stalled == nullptr || stalled->stalled_until >= until) return;
    stalled->stalled_until = until;
    stalled->was_stalled = true;
    ++stalled_clients_;
    stalled_from_afar(*stalled, now);
}

message_trace* router::open_trace(std::uint64_t number) noexcept {
    const auto found = open_traces_.find(number);
    return found == open_traces_.end() ? nullptr : found->second.get();
}

void router::complete(std::uint64_t trace_number, moment now) {
    const auto completed = open_traces_.extract(trace_number);
    trace_complete(*completed.mapped(), now);
}

} // namespace pipit::broker
