// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/filter_stack.hpp>
#include <pipit/net/lendable_socket.hpp>
#include <pipit/net/websocket_deflate.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace pipit::client::detail {

/// Empties a buffer, and gives the memory of a burst back.
inline void clear_buffer(std::string& buffer) {
    constexpr std::size_t bytes_kept = std::size_t{1024} * 1024;
    buffer.clear();
    if (buffer.capacity() > bytes_kept) buffer.shrink_to_fit();
}

/// One TCP connection to a server, and what stands between it and the protocol. Who sends and who
/// waits for its socket shares it, so that none of them meets a closed descriptor; it is over when
/// it is not the link's any more.
struct transport {
    transport(net::lendable_socket::socket connected, bool is_lendable)
        : wire(std::move(connected), is_lendable) {}

    [[nodiscard]] std::size_t unsent_bytes() const noexcept { return output.size() - sent; }

    net::lendable_socket wire;
    std::string output; ///< For the wire.
    std::size_t sent = 0;

    net::websocket_deflate deflate; ///< A filter's; it outlives that.
    /// TLS, a WebSocket; they carry everything. Most connections have none.
    net::filter_stack filters;
    std::string answers;      ///< What the filters have to say, to be sent behind `output`.
    std::string plain_input;  ///< What one read carried, while it is handed on.
    std::string plain_output; ///< What the filters carry next, while they do.
    bool is_known = false;    ///< The session was told that it is open.
    bool is_secure = false;   ///< One of the filters encrypts.
    bool opens = false;       ///< The session waits until the filters are open.
    bool awaits_tls = false;  ///< Nothing is read until it encrypts.
    bool is_sending = false;  ///< Somebody is at it, or waits for room.
    bool is_stuffed = false;  ///< It would block: wait until it is writable.
    bool waits_for_reading = false;
    bool waits_for_writing = false;
};

} // namespace pipit::client::detail
