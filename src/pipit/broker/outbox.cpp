// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/outbox.hpp>

#include <algorithm>

namespace pipit::broker {

void outbox::configure(const configuration& configuration) noexcept {
    max_pending_bytes_ = configuration.max_pending_bytes;
    // Whoever takes everything never has too much of one batch.
    batch_bytes_max_ = std::min(configuration.batch_output_bytes, max_pending_bytes_ / 2);
}

session* outbox::take_touched() noexcept {
    auto* taken = first_touched_;
    if (taken == nullptr) return nullptr;
    first_touched_ = taken->next_touched;
    if (first_touched_ == nullptr) last_touched_ = nullptr;
    taken->touched = false;
    return taken;
}

void outbox::give_back_if_empty(session& session) noexcept {
    if (session.out != nullptr && session.out->pending_bytes() == 0) {
        pool_.give_back(std::move(session.out));
    }
}

void outbox::send(session& session, bytes_view line) {
    if (session.ended()) return;
    chain_of(session).append(line);
    check_pending(session);
}

void outbox::send_error(session& session, bytes_view text) {
    if (session.ended()) return;
    if ((session.delivery_flags & delivery::traced) != 0 && trace_error) trace_error(session, text);
    auto& chain = chain_of(session);
    chain.append("-ERR '");
    chain.append(text);
    chain.append("'\r\n");
    check_pending(session);
}

void outbox::end(session& session, close_reason reason, bool flush) noexcept {
    if (session.ended()) return;
    session.delivery_flags |= delivery::ended;
    session.reason = reason;
    session.flush_before_close = flush;
    ended_.push_back(&session);
    touch(session);
}

void outbox::end_with_error(session& session, bytes_view text, close_reason reason) {
    send_error(session, text);
    end(session, reason);
}

void outbox::check_pending(session& session) noexcept {
    const auto pending = session.pending_bytes();
    if (pending > max_pending_bytes_) {
        end(session, close_reason::slow_consumer_pending_bytes, false);
    } else if (pending > max_pending_bytes_ / 4 * 3) {
        session.delivery_flags |= delivery::congested;
    } else {
        session.delivery_flags &= static_cast<std::uint8_t>(~delivery::congested);
    }
}

void outbox::keep_all_borrowed() {
    for (auto* each = first_touched_; each != nullptr; each = each->next_touched) {
        if (each->out != nullptr) each->out->keep_borrowed();
    }
}

void outbox::forget(session& session) noexcept {
    if (session.touched) {
        auto** link = &first_touched_;
        class session* before = nullptr;
        while (*link != &session) {
            before = *link;
            link = &before->next_touched;
        }
        *link = session.next_touched;
        if (last_touched_ == &session) last_touched_ = before;
    }
    std::erase(ended_, &session);
    if (session.out != nullptr) pool_.give_back(std::move(session.out));
}

} // namespace pipit::broker
