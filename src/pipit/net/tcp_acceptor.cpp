// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/limits.hpp>
#include <pipit/net/detail/event_loop_state.hpp>
#include <pipit/net/ip_address.hpp>
#include <pipit/net/tcp.hpp>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace pipit::net {
namespace {

void read_peer(const sockaddr_storage& address, accepted_socket& accepted) {
    const auto ip = ip_of(reinterpret_cast<const sockaddr&>(address));
    if (ip) accepted.ip = to_string(*ip);
    const bool is_ipv6 = address.ss_family == AF_INET6;
    accepted.port = ntohs(is_ipv6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                  : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

/// The connection was gone before it was taken, which is nobody's failure.
bool concerns_one_connection(int number) noexcept {
    return number == ECONNABORTED || number == EINTR || number == EPROTO || number == ENETDOWN ||
           number == EHOSTUNREACH || number == ENETUNREACH || number == ETIMEDOUT;
}

} // namespace

struct tcp_acceptor::state : std::enable_shared_from_this<state> {
    state(asio::io_context& context, socket_handle listener, std::string its_name, logger its_log,
          accept_function function)
        : socket(context.get_executor(), listener.release()),
          timer(context.get_executor()),
          name(std::move(its_name)),
          log(std::move(its_log)),
          on_accept(std::move(function)) {}

    void wait() {
        socket.async_wait(decltype(socket)::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& error) {
                              if (!error) self->accept_some();
                          });
    }

    void accept_some() {
        for (int i = 0; i < limits::accepts_in_a_row; ++i) {
            if (!socket.is_open()) return; // Stopped by what was done with a connection.
            sockaddr_storage address{};
            socklen_t size = sizeof(address);
            accepted_socket accepted;
            accepted.socket = socket_handle(::accept4(socket.native_handle(),
                                                      reinterpret_cast<sockaddr*>(&address), &size,
                                                      SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!accepted.socket) {
                if (errno == EAGAIN || errno == EWOULDBLOCK) break;
                if (concerns_one_connection(errno)) continue;
                pause_after(errno);
                return;
            }
            pause = limits::accept_pause_min;
            constexpr int on = 1;
            ::setsockopt(accepted.socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
            read_peer(address, accepted);
            on_accept(std::move(accepted));
        }
        if (socket.is_open()) wait();
    }

    void pause_after(int number) {
        const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(pause);
        log.error("Temporary " + name + " Accept Error(" + system_reason(number) + "), sleeping " +
                  std::to_string(milliseconds.count()) + "ms");
        timer.expires_after(pause);
        pause = std::min<nanoseconds>(pause * 2, limits::accept_pause_max);
        timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
            if (!error) self->accept_some();
        });
    }

    void stop() {
        boost::system::error_code ignored;
        socket.close(ignored);
        timer.cancel();
    }

    asio::posix::basic_stream_descriptor<asio::io_context::executor_type> socket;
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>,
                               asio::io_context::executor_type>
        timer;
    nanoseconds pause = limits::accept_pause_min;
    std::string name;
    logger log;
    accept_function on_accept;
};

tcp_acceptor::tcp_acceptor(event_loop& loop, socket_handle listener, std::string name, logger log,
                           accept_function on_accept)
    : state_(std::make_shared<state>(loop.internals().context, std::move(listener), std::move(name),
                                     std::move(log), std::move(on_accept))) {
    state_->wait();
}

tcp_acceptor::~tcp_acceptor() { state_->stop(); }

} // namespace pipit::net
