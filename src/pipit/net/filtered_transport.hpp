// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/net/buffer_pool.hpp>
#include <pipit/net/event_loop.hpp>
#include <pipit/net/filter.hpp>
#include <pipit/net/transport.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace pipit::net {

/// A transport over another one with a filter between them. Its user sees the plain bytes and a
/// transport's readiness, and need not know what is below; they stack.
///
/// The filter's handshake goes on while the user reads, as it does whenever it is called
/// `on_readable`: a read that brings nothing but the handshake's bytes gives `would_block`. Until
/// the filter is open, a write gives that too. Whoever wants to know asks `is_open()` after making
/// the transport and after a read.
///
/// It has no buffer while it is idle. It takes plain bytes only when all that carried the earlier
/// ones is sent, and reads nothing while the other side does not take what it makes the filter
/// answer, so that what it holds is bounded by `limits::filter_unsent_bytes` and by what the filter
/// makes of one read.
///
/// A filter that has to ask somebody else is asked about by nobody meanwhile: nothing is read, and
/// the user is called `on_readable` when the answer is there.
///
/// Threads: that of its event loop.
class filtered_transport final : public transport, private transport_user {
public:
    /// Puts the filter over a transport, which may have been used before, and begins.
    /// `already_read` came from it and is not for its user but for the filter. A failure is told by
    /// the next read.
    [[nodiscard]] static std::unique_ptr<filtered_transport, closes_transport>
    over(transport_pointer below, std::unique_ptr<filter> between, event_loop& loop,
         buffer_pool& buffers, transport_user& user, bytes_view already_read = {});

    io_result read(std::span<char> first, std::span<char> second) noexcept override;
    io_result write(std::span<const bytes_view> pieces) noexcept override;
    void wait_readable() override;
    void wait_writable() override;
    void set_user(transport_user& user) noexcept override;
    /// Tells the other side by the filter's `finish`, as far as it takes that at once.
    void close() noexcept override;

    /// The filter's handshake is done.
    [[nodiscard]] bool is_open() const noexcept { return filter_->is_open(); }
    /// What this one, its filter and those below keep of what came, and have to send.
    [[nodiscard]] std::size_t kept_bytes() const noexcept;
    /// Why a read gives `failed`, when it was the filter that failed.
    [[nodiscard]] const std::optional<error>& failure() const noexcept { return failure_; }

private:
    filtered_transport(transport_pointer below, std::unique_ptr<filter> between, event_loop& loop,
                       buffer_pool& buffers, transport_user& user);

    void on_readable() override;
    void on_writable() override;

    void begin(bytes_view already_read);
    void receive(bytes_view from_below);
    void finish(const result<>& outcome);
    std::size_t take(std::span<char> first, std::span<char> second) noexcept;
    void flush();
    void encode(std::span<const bytes_view> pieces);
    void ask(const filter_question& question);
    void go_on();
    [[nodiscard]] const std::shared_ptr<filtered_transport*>& handle();
    void tell_later();
    void tell();
    [[nodiscard]] bool is_readable() const noexcept {
        return !plain_.empty() || end_ || has_answer_ || (filter_->holds_more() && !is_stuffed());
    }
    [[nodiscard]] bool is_writable() const noexcept {
        return end_ == io_status::failed || (filter_->is_open() && unsent_.empty());
    }
    [[nodiscard]] bool is_stuffed() const noexcept;

    transport_pointer below_;
    std::unique_ptr<filter> filter_;
    event_loop* loop_;
    buffer_pool* buffers_;
    transport_user* user_;
    std::string plain_;  ///< What the user has not taken yet, from `taken_` on.
    std::string unsent_; ///< What `below_` has not taken yet, from `sent_` on.
    std::size_t taken_ = 0;
    std::size_t sent_ = 0;
    std::optional<io_status> end_; ///< What reads give when `plain_` is taken.
    std::optional<error> failure_;
    /// What a task that was posted finds this by; null once closed.
    std::shared_ptr<filtered_transport*> handle_;
    bool user_waits_to_read_ = false;
    bool user_waits_to_write_ = false;
    bool waits_to_read_ = false;
    bool waits_to_write_ = false;
    bool tells_later_ = false;
    bool awaits_answer_ = false; ///< Of somebody else: nothing is read meanwhile.
    bool has_answer_ = false;    ///< And the user has not read since.
};

using filtered_transport_pointer = std::unique_ptr<filtered_transport, closes_transport>;

} // namespace pipit::net
