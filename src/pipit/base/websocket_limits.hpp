// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

/// The bounds of WebSockets and of the HTTP requests that begin them.
namespace pipit::limits {

/// The head of a request or an answer: cookies may be long.
inline constexpr std::size_t http_head_bytes = 16 * 1024;
inline constexpr std::size_t http_head_fields = 128;

/// For TLS and the request; a configuration may change it. Of those of one loop that are under way
/// and are too many the oldest goes.
inline constexpr std::chrono::seconds websocket_handshake_timeout{2};
inline constexpr std::size_t websocket_handshakes = 1024;

/// Pings are not answered while so much waits to be sent.
inline constexpr std::size_t websocket_unsent_pong_bytes = 64 * 1024;

/// What a compressed message of somebody who has not logged in may hold. Later it is as much as so
/// many payloads, as nats-server allows it on the wire, and never more than the last of these.
inline constexpr std::size_t websocket_first_message_bytes = 64 * 1024;
inline constexpr std::size_t websocket_message_payloads = 8;
inline constexpr std::size_t websocket_message_bytes_max = 64 * 1024 * 1024;

/// Of compressed messages that come together, no more are unpacked before what the first ones held
/// is taken.
inline constexpr std::size_t websocket_unpacked_bytes = 256 * 1024;

/// What is kept of the buffer that compresses.
inline constexpr std::size_t websocket_compressed_bytes = 256 * 1024;

} // namespace pipit::limits
