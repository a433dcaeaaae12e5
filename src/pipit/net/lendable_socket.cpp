// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/lendable_socket.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

namespace pipit::net {
namespace {

namespace asio = boost::asio;

error_code last_error() noexcept { return {errno, boost::system::system_category()}; }

} // namespace

lendable_socket::lendable_socket(socket connected, bool is_lendable)
    : socket_(std::move(connected)), number_(socket_.native_handle()) {
    if (is_lendable) make_lendable();
    if (!this->is_lendable()) forget_connecting();
}

/// Asio would go on to look for room to write, as while it was connecting, whenever it waits for
/// input: and there nearly always is, which costs another wait.
void lendable_socket::forget_connecting() {
    error_code code;
    const auto protocol = socket_.local_endpoint(code).protocol();
    if (code) return;
    const auto number = socket_.release(code);
    if (code) return;
    socket_.assign(protocol, number, code);
    if (!code) return;
    own_ = socket_handle(number);
    shut_down(); // Nobody could wait for it.
}

void lendable_socket::make_lendable() {
    socket_handle waits(::epoll_create1(EPOLL_CLOEXEC));
    socket_handle interrupter(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    epoll_event nothing{};
    if (!waits || !interrupter) return;
    if (::epoll_ctl(waits.get(), EPOLL_CTL_ADD, number_, &nothing) != 0) return;
    asio::posix::stream_descriptor loop_side(socket_.get_executor());
    error_code code;
    loop_side.assign(waits.get(), code);
    if (code) return;
    (void)waits.release(); // It is the other's now.
    const auto number = socket_.release(code);
    if (code) return;
    own_ = socket_handle(number);
    interrupter_ = std::move(interrupter);
    loop_side_.emplace(std::move(loop_side));
}

std::size_t lendable_socket::receive(std::span<char> into, error_code& code) noexcept {
    const auto count = ::recv(number_, into.data(), into.size(), MSG_DONTWAIT);
    if (count > 0) return static_cast<std::size_t>(count);
    code = count == 0 ? error_code(asio::error::eof) : last_error();
    return 0;
}

std::size_t lendable_socket::send(bytes_view what, error_code& code) noexcept {
    const auto count = ::send(number_, what.data(), what.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::size_t>(count);
    code = last_error();
    return 0;
}

void lendable_socket::shut_down() noexcept { ::shutdown(number_, SHUT_RDWR); }

void lendable_socket::expect(bool input, bool output) noexcept {
    const auto events = (input ? EPOLLIN : 0U) | (output ? EPOLLOUT : 0U);
    if (std::exchange(expected_, events) == events) return;
    epoll_event wanted{};
    wanted.events = events;
    ::epoll_ctl(loop_side_->native_handle(), EPOLL_CTL_MOD, number_, &wanted);
}

void lendable_socket::wait(std::optional<nanoseconds> timeout) noexcept {
    pollfd waits[] = {{number_, POLLIN, 0}, {interrupter_.get(), POLLIN, 0}};
    timespec at_most{};
    if (timeout) {
        const auto rest = std::max(*timeout, nanoseconds(0));
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(rest);
        at_most.tv_sec = seconds.count();
        at_most.tv_nsec = (rest - seconds).count();
    }
    if (::ppoll(waits, 2, timeout ? &at_most : nullptr, nullptr) <= 0) return;
    eventfd_t ignored = 0;
    if (waits[1].revents != 0) ::eventfd_read(interrupter_.get(), &ignored);
}

void lendable_socket::interrupt() noexcept { ::eventfd_write(interrupter_.get(), 1); }

} // namespace pipit::net
