// SPDX-License-Identifier: Apache-2.0
// What the sans-IO examples share: as little POSIX as they need.
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/time.hpp>
#include <pipit/protocol/server_address.hpp>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace examples {

/// Owns one descriptor, or none.
class tcp_socket {
public:
    tcp_socket() = default;
    explicit tcp_socket(int descriptor) : descriptor_(descriptor) {}
    tcp_socket(tcp_socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    tcp_socket& operator=(tcp_socket other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~tcp_socket() { close(); }

    [[nodiscard]] bool is_open() const { return descriptor_ != -1; }
    [[nodiscard]] int descriptor() const { return descriptor_; }
    void close() {
        if (is_open()) ::close(std::exchange(descriptor_, -1));
    }
    /// As `send` and `recv`: how many bytes, 0 at the end, -1 for an error.
    ssize_t send(pipit::bytes_view bytes) const {
        return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    ssize_t receive(std::span<char> space) const {
        return ::recv(descriptor_, space.data(), space.size(), 0);
    }

private:
    int descriptor_ = -1;
};

/// The first address of the server that answers.
inline tcp_socket open_socket(const pipit::protocol::server_address& server) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const auto port = std::to_string(server.port);
    if (::getaddrinfo(server.host.c_str(), port.c_str(), &wanted, &found) != 0) return {};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
    for (const auto* address = found; address != nullptr; address = address->ai_next) {
        tcp_socket opened(::socket(address->ai_family, address->ai_socktype, address->ai_protocol));
        if (::connect(opened.descriptor(), address->ai_addr, address->ai_addrlen) == 0) {
            return opened;
        }
    }
    return {};
}

/// For `poll`: rounded up, so that a deadline has passed when the time is over.
inline int milliseconds_for_poll(pipit::nanoseconds time) {
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(time).count();
    return static_cast<int>(std::clamp<decltype(rounded)>(rounded, 0, 60'000));
}

/// False when nothing came in that time.
inline bool wait_readable(const tcp_socket& socket, pipit::nanoseconds time) {
    pollfd waiting{socket.descriptor(), POLLIN, 0};
    return ::poll(&waiting, 1, milliseconds_for_poll(time)) > 0;
}

} // namespace examples
