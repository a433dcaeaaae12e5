// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/tcp.hpp>

#include <pipit/base/join_host_port.hpp>
#include <pipit/net/ip_address.hpp>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <ifaddrs.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace pipit::net {
namespace {

struct socket_address {
    sockaddr_storage storage{};
    socklen_t size = 0;

    [[nodiscard]] const sockaddr* get() const noexcept {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

socket_address any_address(int family, std::uint16_t port) noexcept {
    socket_address address;
    if (family == AF_INET6) {
        auto& in6 = reinterpret_cast<sockaddr_in6&>(address.storage);
        in6.sin6_family = AF_INET6;
        in6.sin6_port = htons(port);
        address.size = sizeof(in6);
    } else {
        auto& in4 = reinterpret_cast<sockaddr_in&>(address.storage);
        in4.sin_family = AF_INET;
        in4.sin_port = htons(port);
        address.size = sizeof(in4);
    }
    return address;
}

error listen_error(int number, std::string_view host, std::uint16_t port, std::string_view step) {
    return {error_code(number, boost::system::system_category()),
            "listen tcp " + join_host_port(host, port) + ": " + std::string(step) +
                system_reason(number)};
}

/// `*`, `0`, `127.1`: the C library takes them for addresses; whoever reads them elsewhere does
/// not.
bool is_address_of_c_alone(const std::string& host) noexcept {
    in_addr address{};
    return host == "*" || (::inet_aton(host.c_str(), &address) != 0 &&
                           ::inet_pton(AF_INET, host.c_str(), &address) != 1);
}

/// The first address of a name; IPv4 before IPv6, as Go chooses.
result<socket_address> resolve(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    const auto failure =
        is_address_of_c_alone(host)
            ? EAI_NONAME
            : ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (failure != 0) {
        return error(error_code(EADDRNOTAVAIL, boost::system::system_category()),
                     "listen tcp: lookup " + host + ": " +
                         (failure == EAI_NONAME ? "no such host" : ::gai_strerror(failure)));
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
    const addrinfo* chosen = found;
    for (const auto* each = found; each != nullptr; each = each->ai_next) {
        if (each->ai_family == AF_INET) {
            chosen = each;
            break;
        }
    }
    socket_address address;
    std::memcpy(&address.storage, chosen->ai_addr, chosen->ai_addrlen);
    address.size = chosen->ai_addrlen;
    return address;
}

/// Returns 0, or the system's error number.
int bind_and_listen(socket_handle& socket, const socket_address& address) noexcept {
    constexpr int on = 1;
    constexpr int off = 0;
    socket = socket_handle(
        ::socket(address.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) return errno;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address.get()->sa_family == AF_INET6) {
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    if (::bind(socket.get(), address.get(), address.size) != 0) return errno;
    if (::listen(socket.get(), SOMAXCONN) != 0) return errno;
    return 0;
}

sockaddr_storage name_of(const socket_handle& socket) noexcept {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    (void)::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return address;
}

} // namespace

result<socket_handle> listen_tcp(std::string_view host, std::uint16_t port) {
    socket_handle socket;
    if (host.empty() || host == "0.0.0.0" || host == "::") {
        auto number = bind_and_listen(socket, any_address(AF_INET6, port));
        if (number == EAFNOSUPPORT || number == EADDRNOTAVAIL) {
            number = bind_and_listen(socket, any_address(AF_INET, port));
        }
        if (number != 0) return listen_error(number, host, port, "bind: ");
        return socket;
    }
    const auto address = resolve(std::string(host), port);
    if (!address) return address.error();
    const auto number = bind_and_listen(socket, *address);
    if (number != 0) return listen_error(number, host, port, "bind: ");
    return socket;
}

std::string local_address(const socket_handle& socket) {
    const auto address = name_of(socket);
    const auto ip = ip_of(reinterpret_cast<const sockaddr&>(address));
    return ip ? to_string(*ip) : std::string();
}

std::uint16_t local_port(const socket_handle& socket) noexcept {
    const auto address = name_of(socket);
    if (address.ss_family == AF_INET6) {
        return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
    }
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::vector<std::string> interface_addresses() {
    std::vector<std::string> texts;
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return texts;
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(first, ::freeifaddrs);
    for (const auto* each = first; each != nullptr; each = each->ifa_next) {
        if (each->ifa_addr == nullptr) continue;
        if (const auto ip = ip_of(*each->ifa_addr)) texts.push_back(to_string(*ip));
    }
    return texts;
}

} // namespace pipit::net
