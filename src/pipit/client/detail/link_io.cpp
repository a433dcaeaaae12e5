// SPDX-License-Identifier: Apache-2.0
// A link's socket and timer.
#include <pipit/client/detail/link.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/protocol/error.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace pipit::client::detail {
namespace {

/// While somebody else publishes all the time, the strand has to read as well.
constexpr int sends_in_a_row_max = 8;

bool would_block(const error_code& code) {
    return code == asio::error::would_block || code == asio::error::try_again ||
           code == asio::error::interrupted;
}

} // namespace

void link::open(const protocol::server_address& server) {
    const dialer_options options{options_.randomize_servers, options_.connect_timeout};
    auto number = ++dials_;
    auto done = [weak = weak_from_this(), number](result<asio::ip::tcp::socket> outcome) {
        if (const auto self = weak.lock()) self->opened(number, std::move(outcome));
    };
    dialer_ = std::make_shared<dialer>(*strand_, server, options, random_source(random_()),
                                       lookups_, std::move(done));
    asio::post(*strand_, [dials = dialer_] { dials->start(); });
}

void link::opened(std::uint64_t number, result<asio::ip::tcp::socket> outcome) {
    inside([&](lock& held) {
        if (number != dials_ || !dialer_) return; // It was given up meanwhile.
        dialer_.reset();
        if (outcome) {
            transport_ = std::make_shared<transport>(std::move(*outcome), face_ == face::blocking);
            begin_filters();
        } else {
            session_.transport_closed(net::steady_now(), outcome.error());
        }
        turn(held);
    });
}

void link::drop_transport() {
    if (dialer_) {
        asio::post(*strand_, [dials = std::move(dialer_)] { dials->cancel(); });
        dialer_.reset();
    }
    if (!transport_) return;
    const bool can_say_goodbye = !transport_->filters.is_empty() && !transport_->is_sending &&
                                 transport_->unsent_bytes() == 0;
    if (can_say_goodbye) {
        // Who reads it learns that the stream ends here. Nobody waits for it.
        auto last_bytes = std::exchange(transport_->answers, {});
        transport_->filters.finish(last_bytes);
        error_code unsent;
        (void)transport_->wire.send(last_bytes, unsent);
    }
    // Others may be about to use the descriptor: it is closed when the last one lets go. Whoever
    // waits for it is woken by this.
    transport_->wire.shut_down();
    transport_.reset();
}

void link::lose_transport(const transport_pointer& which, error why) {
    if (!which || which != transport_) return;
    session_.transport_closed(net::steady_now(), std::move(why));
    drop_transport();
    schedule_turn();
}

void link::wait_for_socket() {
    const auto& of = transport_;
    if (!of) return;
    const bool reads = reads_on() && reader_ == nullptr;
    if (of->wire.is_lendable()) {
        of->wire.expect(reads, of->is_stuffed);
        if (!reads && !of->is_stuffed) return;
        if (std::exchange(of->waits_for_reading, true)) return;
        of->wire.async_wait(
            net::lendable_socket::socket::wait_read,
            [self = shared_from_this(), of](const error_code& code) { self->ready(of, code); });
        return;
    }
    if (of->is_stuffed && !std::exchange(of->waits_for_writing, true)) {
        of->wire.async_wait(
            net::lendable_socket::socket::wait_write,
            [self = shared_from_this(), of](const error_code& code) { self->writable(of, code); });
    }
    if (reads && !std::exchange(of->waits_for_reading, true)) {
        of->wire.async_wait(
            net::lendable_socket::socket::wait_read,
            [self = shared_from_this(), of](const error_code& code) { self->readable(of, code); });
    }
}

void link::ready(const transport_pointer& which, const error_code& code) {
    inside([&](lock& held) {
        which->waits_for_reading = false;
        if (which != transport_ || code == asio::error::operation_aborted) return;
        // Perhaps it is not writable: then it is stuffed again, after a try.
        if (which->is_stuffed) which->is_stuffed = which->is_sending = false;
        if (reader_ == nullptr) receive();
        turn(held);
    });
}

void link::readable(const transport_pointer& from, const error_code& code) {
    inside([&](lock& held) {
        from->waits_for_reading = false;
        if (from != transport_ || code == asio::error::operation_aborted) return;
        receive();
        turn(held);
    });
}

void link::receive() {
    const auto from = transport_;
    if (!from || !reads_on()) return;
    if (!from->filters.is_empty()) return receive_filtered(from);
    const auto space = session_.prepare();
    if (space.empty()) return;
    error_code code;
    const auto received_bytes = from->wire.receive(space, code);
    if (would_block(code)) return;
    if (code == asio::error::eof) {
        return lose_transport(from, error(protocol::errc::connection_lost, "the server closed it"));
    }
    if (code) return lose_transport(from, code);
    session_.commit(received_bytes, net::steady_now());
}

/// What came before the end: messages, and perhaps why it ends.
void link::receive_last(const transport_pointer& from) {
    const auto& received_bytes = session_.statistics().received_bytes;
    for (auto before = ~received_bytes; from == transport_ && before != received_bytes;) {
        before = received_bytes;
        receive();
        take_events();
    }
}

void link::writable(const transport_pointer& to, const error_code& code) {
    inside([&](lock& held) {
        to->waits_for_writing = to->is_stuffed = to->is_sending = false;
        if (to != transport_ || code == asio::error::operation_aborted) return;
        turn(held);
    });
}

void link::send(lock& held) {
    const auto to = transport_;
    if (!to || to->is_sending) return;
    to->is_sending = true;
    const presence here(*this);
    for (int sends = 0; to == transport_ && sends < sends_in_a_row_max; ++sends) {
        if (to->unsent_bytes() == 0) {
            to->sent = 0;
            clear_buffer(to->output);
            if (!fill_output(to) || to->output.empty()) break;
        }
        const auto piece = bytes_view(to->output).substr(to->sent);
        error_code code;
        held.unlock();
        const auto sent_bytes = to->wire.send(piece, code);
        held.lock();
        to->sent += sent_bytes;
        sent_something_ = true;
        if (would_block(code)) {
            to->is_stuffed = true;
            schedule_turn();
            break;
        }
        if (!code) continue;
        receive_last(to);
        lose_transport(to, code);
    }
    to->is_sending = to->is_stuffed;
    sending_has_ended_.notify_all();
    if (to != transport_) return;
    serve_room_waiters();
    if (!to->is_stuffed && (unsent_bytes() != 0 || !to->answers.empty())) schedule_turn();
}

void link::send_all(lock& held) {
    while (transport_ && !transport_->is_stuffed) {
        if (transport_->is_sending) { // By another thread, which does not wait for anything.
            const presence here(*this);
            sending_has_ended_.wait(held);
            continue;
        }
        const auto before = unsent_bytes();
        if (before == 0) return;
        send(held);
        if (unsent_bytes() >= before) return; // Not open yet, or others publish all the time.
    }
}

void link::output_appended(lock& held) {
    if (!transport_ || transport_->is_sending) return; // Sent when there is a chance to.
    if (session_.pending_output().size() >= direct_send_bytes) {
        send(held);
        // Nor need the thread in the background send the rest soon.
        if (collects_until_) collects_until_ = net::steady_now() + collecting_time;
    } else if (!collects_until_) {
        schedule_turn();
    }
}

void link::asked(lock& held) {
    if (face_ == face::asynchronous) return schedule_turn();
    send(held);
    if (needs_turn()) schedule_turn();
}

bool link::needs_turn() const {
    return !tasks_.empty() || next_deadline().value_or(wakes_at_) < wakes_at_;
}

std::optional<steady_time> link::next_deadline() const {
    auto due = session_.next_deadline();
    const auto consider = [&due](steady_time when) { due = due ? std::min(*due, when) : when; };
    if (is_handing_out() && !session_.is_closed()) consider(*drain_deadline_);
    if (collects_until_) consider(*collects_until_);
    return due;
}

void link::arm_timer() {
    const auto when = next_deadline();
    if (!when && wakes_at_ == steady_time::max()) return;
    if (when && wakes_at_ <= *when) return;
    wakes_at_ = when.value_or(steady_time::max());
    if (!when) {
        timer_->cancel();
        return;
    }
    timer_->expires_at(*when);
    timer_->async_wait([self = shared_from_this()](const error_code& code) {
        if (!code) self->expired();
    });
}

/// What is here is not late.
void link::expire() {
    receive();
    take_events();
    // Whoever does not read cannot know that the server is silent.
    if (transport_ && !reads_on()) session_.excuse_silence();
    session_.expire(net::steady_now());
}

void link::expired() {
    inside([this](lock& held) {
        wakes_at_ = steady_time::max();
        if (abandoned_) return;
        if (next_deadline().value_or(steady_time::min()) > net::steady_now()) return arm_timer();
        expire();
        const auto now = net::steady_now();
        if (is_handing_out() && now >= *drain_deadline_ && !session_.is_closed()) {
            closing_why_ = not_handed_out();
            session_.close();
        }
        turn(held);
    });
}

} // namespace pipit::client::detail
