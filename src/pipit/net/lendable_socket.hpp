// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/socket_handle.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace pipit::net {

/// A TCP connection that is open, and never blocks. An event loop waits for it.
///
/// A lendable one may be waited for by another thread for a while. The loop then waits for an epoll
/// that has the socket in it: to take it out, and to put it back, is a system call each and wakes
/// nobody. Asio alone would wake the loop for every answer that the other thread waits for.
///
/// Threads: one at a time, but for `receive` and `send`, `wait` and `interrupt`.
class lendable_socket {
public:
    using socket = boost::asio::ip::tcp::socket;

    /// It is not lendable when the system has no descriptors left.
    lendable_socket(socket connected, bool is_lendable);

    [[nodiscard]] std::size_t receive(std::span<char> into, error_code& code) noexcept;
    [[nodiscard]] std::size_t send(bytes_view what, error_code& code) noexcept;
    void shut_down() noexcept;

    /// For the loop. Of one that is lendable it does not tell what has happened.
    template <class Handler>
    void async_wait(socket::wait_type what, Handler handler) {
        if (is_lendable()) {
            loop_side_->async_wait(boost::asio::posix::descriptor_base::wait_read,
                                   std::move(handler));
        } else {
            socket_.async_wait(what, std::move(handler));
        }
    }

    [[nodiscard]] bool is_lendable() const noexcept { return loop_side_.has_value(); }
    /// What the loop waits for. Without anything it is lent.
    void expect(bool input, bool output) noexcept;
    /// Waits for input, in the calling thread.
    void wait(std::optional<nanoseconds> timeout) noexcept;
    /// Ends a `wait`; the next one, when there is none.
    void interrupt() noexcept;

private:
    void make_lendable();
    void forget_connecting();

    socket socket_; ///< Not when it is lendable.
    socket_handle own_;
    int number_;
    std::optional<boost::asio::posix::stream_descriptor> loop_side_;
    socket_handle interrupter_;
    std::uint32_t expected_ = 0;
};

} // namespace pipit::net
