// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/internal_clients.hpp>

#include <charconv>
#include <utility>

namespace pipit::broker {
namespace {

std::uint64_t number_of(const subscription& subscription) noexcept {
    std::uint64_t number = 0;
    const auto sid = subscription.sid();
    std::from_chars(sid.data(), sid.data() + sid.size(), number);
    return number;
}

} // namespace

internal_clients::~internal_clients() {
    for (auto& [id, session] : sessions_) router_.unsubscribe_all(*session);
}

session& internal_clients::session_of(account& of) {
    auto& slot = sessions_[of.id];
    if (slot == nullptr) {
        slot = std::make_unique<session>(0, nullptr, seed_);
        slot->delivery_flags = delivery::internal;
        slot->of = &of;
    }
    return *slot;
}

std::uint64_t internal_clients::subscribe(account& of, bytes_view subject, bytes_view queue,
                                          internal_handler handler) {
    auto& owner = session_of(of);
    const auto number = next_number_++;
    const auto sid = std::to_string(number);
    const protocol::subscribe_operation operation{subject, queue, sid};
    const subscribe_hashes hashes(owner, operation);
    router_.subscribe(owner, operation, hashes,
                      owner.subscriptions.look_up(hashes.sid, operation.sid));
    --of.subscriptions; // Those of clients are counted.
    --of.inserts;
    entries_.emplace(number, entry{owner.find(sid),
                                   std::make_shared<const internal_handler>(std::move(handler))});
    return number;
}

void internal_clients::unsubscribe(std::uint64_t number) {
    const auto found = entries_.extract(number);
    if (found.empty()) return;
    auto& subscription = *found.mapped().wants;
    auto& of = *subscription.owner->of;
    router_.unsubscribe(subscription);
    ++of.subscriptions;
    --of.removes;
}

void internal_clients::take(const subscription& subscription, const dispatch& dispatch) {
    const auto& message = dispatch.message;
    auto& taken = waiting_.emplace_back();
    taken.number = number_of(subscription);
    taken.account = dispatch.of.id;
    if (dispatch.publisher != nullptr) {
        taken.sender = dispatch.publisher->client_id;
        taken.sender_account = dispatch.publisher->of->id;
    } else if (dispatch.from_peer != nullptr) {
        taken.sender = dispatch.from_peer->publisher;
        taken.sender_account = dispatch.from_peer->publisher_account;
    } else {
        taken.sender = 0;
        taken.sender_account = dispatch.of.id;
    }
    taken.subject_size = dispatch.subject.size();
    taken.reply_size = message.reply.size();
    taken.header_size = message.headers.size();
    taken.texts.reserve(dispatch.subject.size() + message.reply.size() + dispatch.size);
    taken.texts.append(dispatch.subject).append(message.reply);
    taken.texts.append(message.headers).append(message.payload);
}

bool internal_clients::hand_over(moment now) {
    if (waiting_.empty()) return false;
    const auto taken = std::exchange(waiting_, {});
    for (const auto& each : taken) {
        const auto found = entries_.find(each.number);
        if (found == entries_.end()) continue;
        const auto handler = found->second.handler;
        bytes_view rest = each.texts;
        const auto next = [&rest](std::size_t size) {
            const auto part = rest.substr(0, size);
            rest.remove_prefix(size);
            return part;
        };
        internal_message message;
        message.account = each.account;
        message.sender = each.sender;
        message.sender_account = each.sender_account;
        message.subject = next(each.subject_size);
        message.reply = next(each.reply_size);
        message.headers = next(each.header_size);
        message.payload = rest;
        (*handler)(message, now);
    }
    return true;
}

} // namespace pipit::broker
