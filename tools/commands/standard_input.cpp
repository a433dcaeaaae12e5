// SPDX-License-Identifier: Apache-2.0
#include <commands/standard_input.hpp>

#include <commands/program.hpp>

#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <unistd.h>

namespace pipit::cli {

standard_input::standard_input(const asio::any_io_executor& executor) {
    // An epoll of its own tells when there is something to read.
    net::socket_handle waiter(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    if (!waiter || ::epoll_ctl(waiter.get(), EPOLL_CTL_ADD, STDIN_FILENO, &wanted) != 0) return;
    readiness_.emplace(executor, waiter.release());
}

asio::awaitable<result<std::string>> standard_input::read_some() {
    std::array<char, 65536> part{};
    ssize_t size = 0;
    do {
        if (readiness_) {
            constexpr auto readable = asio::posix::stream_descriptor::wait_read;
            co_await readiness_->async_wait(readable, asio::use_awaitable);
        }
        size = ::read(STDIN_FILENO, part.data(), part.size());
    } while (size < 0 && (errno == EAGAIN || errno == EINTR) && readiness_);
    if (size < 0) co_return system_error("the standard input");
    co_return std::string(part.data(), static_cast<std::size_t>(size));
}

} // namespace pipit::cli
