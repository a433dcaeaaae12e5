// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/session.hpp>

#include <functional>
#include <utility>

namespace pipit::broker {

/// Where everything that goes to a session passes: its output chain, the list of sessions that the
/// driver must look at, and the ends of sessions.
class outbox {
public:
    explicit outbox(const configuration& configuration) noexcept { configure(configuration); }

    /// Obeys a configuration.
    void configure(const configuration& configuration) noexcept;

    [[nodiscard]] std::size_t max_pending_bytes() const noexcept { return max_pending_bytes_; }

    void touch(session& session) noexcept {
        if (session.touched) return;
        session.touched = true;
        session.next_touched = nullptr;
        (last_touched_ == nullptr ? first_touched_ : last_touched_->next_touched) = &session;
        last_touched_ = &session;
    }
    [[nodiscard]] session* take_touched() noexcept;

    /// The session's chain, from the pool if need be; touches the session.
    [[nodiscard]] output& chain_of(session& session) {
        if (session.out == nullptr) [[unlikely]]
            session.out = pool_.take();
        touch(session);
        return *session.out;
    }
    void give_back_if_empty(session& session) noexcept;

    /// Appends a protocol line, CRLF and all.
    void send(session& session, bytes_view line);
    /// Appends `-ERR '<text>'`.
    void send_error(session& session, bytes_view text);
    /// Told of each error to a traced session.
    std::function<void(const session&, bytes_view text)> trace_error;

    /// Ends a session after what is queued, or at once when `flush` is false.
    void end(session& session, close_reason reason, bool flush = true) noexcept;
    /// `-ERR '<text>'`, and then the end.
    void end_with_error(session& session, bytes_view text, close_reason reason);

    /// Compares the chain with `max_pending`: marks congestion, and ends a slow consumer. To be
    /// called whenever a chain has grown by a store or by referenced bytes.
    void check_pending(session& session) noexcept;

    /// Sessions that ended since the last call.
    [[nodiscard]] std::vector<session*> take_ended() noexcept { return std::exchange(ended_, {}); }
    [[nodiscard]] bool has_ended() const noexcept { return !ended_.empty(); }

    /// Counts what was appended since `begin_batch`; whoever brings more stops when it is much.
    void begin_batch() noexcept { batch_bytes_ = 0; }
    void count(std::size_t bytes) noexcept { batch_bytes_ += bytes; }
    [[nodiscard]] bool wants_flush() const noexcept { return batch_bytes_ > batch_bytes_max_; }

    /// Copies whatever touched sessions have borrowed: the bytes are about to go.
    void keep_all_borrowed();

    void forget(session& session) noexcept;

private:
    output_pool pool_;
    std::size_t max_pending_bytes_ = 0;
    std::size_t batch_bytes_ = 0;
    std::size_t batch_bytes_max_ = 0;
    session* first_touched_ = nullptr;
    session* last_touched_ = nullptr;
    std::vector<session*> ended_;
};

} // namespace pipit::broker
