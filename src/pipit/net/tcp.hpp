// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/net/event_loop.hpp>
#include <pipit/net/socket_handle.hpp>
#include <pipit/net/transport.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::net {

/// Makes a connected, non-blocking socket a transport of this loop.
[[nodiscard]] transport_pointer make_tcp_transport(event_loop& loop, socket_handle socket,
                                                   transport_user& user);

/// A connection that somebody made to a listener.
struct accepted_socket {
    socket_handle socket; ///< Non-blocking, without Nagle's delay.
    std::string ip;       ///< Without brackets; an IPv4 address in its own form.
    std::uint16_t port = 0;
};

/// Binds and listens. `0.0.0.0`, `::` and an empty host are all addresses, of IPv4 and IPv6.
/// Errors: the system's; the detail reads `listen tcp 0.0.0.0:4222: bind: address already in use`.
[[nodiscard]] result<socket_handle> listen_tcp(std::string_view host, std::uint16_t port);
/// The port that a socket is bound to.
[[nodiscard]] std::uint16_t local_port(const socket_handle& socket) noexcept;
/// The address that it is bound to, also where it was called by a name.
[[nodiscard]] std::string local_address(const socket_handle& socket);
/// The addresses of this machine's interfaces, without brackets.
[[nodiscard]] std::vector<std::string> interface_addresses();

/// Accepts connections and hands them over. A lack of descriptors or memory is logged, and it
/// tries again after a while that grows to a second.
///
/// Threads: that of its event loop, or any before that runs and after it has run.
class tcp_acceptor {
public:
    using accept_function = std::function<void(accepted_socket)>;

    /// `name` stands in the log: `Client`, for example.
    tcp_acceptor(event_loop& loop, socket_handle listener, std::string name, logger log,
                 accept_function on_accept);
    /// Stops listening.
    ~tcp_acceptor();
    tcp_acceptor(const tcp_acceptor&) = delete;
    tcp_acceptor& operator=(const tcp_acceptor&) = delete;

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace pipit::net
