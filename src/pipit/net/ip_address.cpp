// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/ip_address.hpp>

#include <pipit/base/assert.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace pipit::net {
namespace {

/// What an IPv4 address has in front of it; all else is 0.
constexpr ip_address mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t mapped_bytes = mapped_bits / 8;

} // namespace

bool is_ipv4(const ip_address& address) noexcept {
    return std::equal(mapped.begin(), mapped.begin() + mapped_bytes, address.begin());
}

std::optional<ip_address> parse_ip(const std::string& text) {
    if (text.find('\0') != std::string::npos) return std::nullopt;
    auto address = mapped;
    if (::inet_pton(AF_INET, text.c_str(), address.data() + mapped_bytes) == 1) return address;
    if (::inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
    return std::nullopt;
}

std::string to_string(const ip_address& address) {
    const bool is_short = is_ipv4(address);
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(is_short ? AF_INET : AF_INET6, address.data() + (is_short ? mapped_bytes : 0),
                text.data(), text.size());
    return text.data();
}

ip_address ip_of(bytes_view octets) {
    PIPIT_ASSERT(octets.size() == 4 || octets.size() == 16);
    auto address = mapped;
    std::copy_backward(octets.begin(), octets.end(), address.end());
    return address;
}

std::optional<ip_address> ip_of(const sockaddr& address) {
    const auto octets = [](const auto& ip) {
        return bytes_view(reinterpret_cast<const char*>(&ip), sizeof(ip));
    };
    if (address.sa_family == AF_INET) {
        return ip_of(octets(reinterpret_cast<const sockaddr_in&>(address).sin_addr));
    }
    if (address.sa_family == AF_INET6) {
        return ip_of(octets(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr));
    }
    return std::nullopt;
}

} // namespace pipit::net
