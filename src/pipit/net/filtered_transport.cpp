// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/filter_limits.hpp>
#include <pipit/net/filtered_transport.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace pipit::net {

filtered_transport_pointer filtered_transport::over(transport_pointer below,
                                                    std::unique_ptr<filter> between,
                                                    event_loop& loop, buffer_pool& buffers,
                                                    transport_user& user, bytes_view already_read) {
    filtered_transport_pointer made(
        new filtered_transport(std::move(below), std::move(between), loop, buffers, user));
    made->begin(already_read);
    return made;
}

filtered_transport::filtered_transport(transport_pointer below, std::unique_ptr<filter> between,
                                       event_loop& loop, buffer_pool& buffers, transport_user& user)
    : below_(std::move(below)),
      filter_(std::move(between)),
      loop_(&loop),
      buffers_(&buffers),
      user_(&user) {
    below_->set_user(*this);
}

void filtered_transport::begin(bytes_view already_read) {
    unsent_ = buffers_->take();
    finish(filter_->begin(unsent_));
    if (!already_read.empty() && !end_) receive(already_read);
}

void filtered_transport::set_user(transport_user& user) noexcept { user_ = &user; }

void filtered_transport::close() noexcept {
    if (end_ != io_status::failed) {
        filter_->finish(unsent_);
        flush();
    }
    if (handle_) *handle_ = nullptr;
    buffers_->give_back(plain_);
    buffers_->give_back(unsent_);
    below_.reset();
    delete this;
}

// --- Reading ---

io_result filtered_transport::read(std::span<char> first, std::span<char> second) noexcept {
    // What comes from below is only passed through the caller's space on its way to the filter.
    const auto space = second.size() >= first.size() ? second : first;
    has_answer_ = false;
    for (int i = 0; i < limits::filter_reads_in_a_row; ++i) {
        if (!plain_.empty()) return {io_status::done, take(first, second)};
        if (end_) return {*end_};
        if (is_stuffed()) flush();
        if (is_stuffed() || awaits_answer_) break;
        if (filter_->holds_more()) {
            receive({});
            continue;
        }
        const auto [status, bytes] = below_->read({}, space);
        if (status == io_status::would_block) break;
        if (status == io_status::done) {
            receive({space.data(), bytes});
        } else {
            end_ = status;
        }
    }
    if (!plain_.empty()) return {io_status::done, take(first, second)};
    return {end_.value_or(io_status::would_block)};
}

void filtered_transport::receive(bytes_view from_below) {
    if (plain_.empty()) plain_ = buffers_->take();
    if (unsent_.empty()) unsent_ = buffers_->take();
    finish(filter_->receive(from_below, plain_, unsent_));
    if (plain_.empty()) buffers_->give_back(plain_);
    if (user_waits_to_write_ && is_writable()) tell_later();
}

/// What follows from a call that gave the filter bytes.
void filtered_transport::finish(const result<>& outcome) {
    if (!outcome) {
        failure_ = outcome.error();
        flush(); // An alert, for example.
        end_ = io_status::failed;
        return;
    }
    if (filter_->is_finished()) end_ = io_status::closed;
    flush();
    if (const auto question = filter_->take_question()) ask(question);
}

/// What the answer is called by may be kept longer than this.
void filtered_transport::ask(const filter_question& question) {
    awaits_answer_ = true;
    question([loop = loop_, handle = handle()] {
        loop->post([handle] {
            if (*handle != nullptr) (*handle)->go_on();
        });
    });
}

void filtered_transport::go_on() {
    awaits_answer_ = false;
    has_answer_ = true;
    receive({});
    if (user_waits_to_read_) tell();
}

std::size_t filtered_transport::take(std::span<char> first, std::span<char> second) noexcept {
    std::size_t count = 0;
    for (const auto space : {first, second}) {
        const auto part = std::min(space.size(), plain_.size() - taken_);
        if (part > 0) std::memcpy(space.data(), plain_.data() + taken_, part);
        taken_ += part;
        count += part;
    }
    if (taken_ == plain_.size()) {
        buffers_->give_back(plain_);
        taken_ = 0;
    }
    return count;
}

// --- Writing ---

io_result filtered_transport::write(std::span<const bytes_view> pieces) noexcept {
    if (!unsent_.empty()) flush();
    if (end_ == io_status::failed) return {io_status::failed};
    if (!is_writable()) return {io_status::would_block};
    std::size_t count = 0;
    std::size_t offset = 0; // In the first piece, when it is too large for one step.
    while (!pieces.empty() && is_writable() && end_ != io_status::failed) {
        std::size_t whole_count = 0;
        std::size_t bytes = 0;
        while (offset == 0 && whole_count < pieces.size() &&
               bytes + pieces[whole_count].size() <= limits::filter_write_bytes) {
            bytes += pieces[whole_count++].size();
        }
        if (whole_count > 0) {
            encode(pieces.first(whole_count));
            pieces = pieces.subspan(whole_count);
        } else {
            const auto part = pieces.front().substr(offset, limits::filter_write_bytes);
            encode({&part, 1});
            bytes = part.size();
            offset += bytes;
            if (offset == pieces.front().size()) {
                pieces = pieces.subspan(1);
                offset = 0;
            }
        }
        count += bytes;
    }
    if (count == 0) return {end_ == io_status::failed ? io_status::failed : io_status::would_block};
    return {io_status::done, count};
}

void filtered_transport::encode(std::span<const bytes_view> pieces) {
    unsent_ = buffers_->take();
    if (const auto sent = filter_->send(pieces, unsent_); !sent) {
        failure_ = sent.error();
        end_ = io_status::failed;
        return;
    }
    flush();
}

/// Hands to the transport below what it takes.
void filtered_transport::flush() {
    while (sent_ < unsent_.size()) {
        const auto piece = bytes_view(unsent_).substr(sent_);
        const auto [status, bytes] = below_->write({&piece, 1});
        if (status == io_status::failed) {
            end_ = io_status::failed;
            break;
        }
        sent_ += bytes;
        if (status == io_status::would_block || bytes < piece.size()) {
            if (!std::exchange(waits_to_write_, true)) below_->wait_writable();
            return;
        }
    }
    buffers_->give_back(unsent_);
    sent_ = 0;
}

/// The other side makes the filter answer, and does not take the answers.
bool filtered_transport::is_stuffed() const noexcept {
    return unsent_.size() - sent_ > limits::filter_unsent_bytes;
}

std::size_t filtered_transport::kept_bytes() const noexcept {
    const auto* const below = dynamic_cast<const filtered_transport*>(below_.get());
    return memory_of(plain_) + memory_of(unsent_) + filter_->kept_bytes() +
           (below == nullptr ? 0 : below->kept_bytes());
}

// --- Readiness ---

void filtered_transport::wait_readable() {
    user_waits_to_read_ = true;
    if (is_readable()) return tell_later();
    if (is_stuffed() || awaits_answer_) return; // `on_writable` and `go_on` go on.
    if (!std::exchange(waits_to_read_, true)) below_->wait_readable();
}

void filtered_transport::wait_writable() {
    user_waits_to_write_ = true;
    if (is_writable()) tell_later();
    // Else `flush` waits already, or the handshake's end will be noticed.
}

void filtered_transport::on_readable() {
    waits_to_read_ = false;
    if (std::exchange(user_waits_to_read_, false)) user_->on_readable();
}

void filtered_transport::on_writable() {
    waits_to_write_ = false;
    flush();
    if (user_waits_to_read_) wait_readable();
    if (user_waits_to_write_ && is_writable()) {
        user_waits_to_write_ = false;
        user_->on_writable();
    }
}

/// Calls the user from the loop: never from inside a call.
void filtered_transport::tell_later() {
    if (std::exchange(tells_later_, true)) return;
    loop_->post([handle = handle()] {
        if (*handle != nullptr) (*handle)->tell();
    });
}

const std::shared_ptr<filtered_transport*>& filtered_transport::handle() {
    if (!handle_) handle_ = std::make_shared<filtered_transport*>(this);
    return handle_;
}

void filtered_transport::tell() {
    tells_later_ = false;
    const auto handle = handle_; // The user may close this.
    if (is_readable() && std::exchange(user_waits_to_read_, false)) user_->on_readable();
    if (*handle == nullptr) return;
    if (is_writable() && std::exchange(user_waits_to_write_, false)) user_->on_writable();
}

} // namespace pipit::net
