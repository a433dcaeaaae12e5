// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

/// The bounds of what stands between the wire and the protocol: filters, TLS.
namespace pipit::limits {

/// A filter is given so many plain bytes at a time, and no more until all that carries them is
/// sent.
inline constexpr std::size_t filter_write_bytes = 128 * 1024;

/// Whose filter has to answer so much that is not taken is not read from until it is: above what
/// one write leaves.
inline constexpr std::size_t filter_unsent_bytes = 256 * 1024;

/// Reads of the transport below that brought nothing for the one above, before others have their
/// turn.
inline constexpr int filter_reads_in_a_row = 4;

/// Buffers that the filtered transports of one loop share, and the largest that is kept.
inline constexpr std::size_t filter_buffers = 8;
inline constexpr std::size_t filter_buffer_bytes = 512 * 1024;

// --- TLS ---

/// As nats-server: how long a handshake may take, and how long a server that shakes hands first
/// waits for a client that does so too, before it sends INFO after all.
inline constexpr std::chrono::seconds tls_timeout{2};
inline constexpr std::chrono::milliseconds tls_first_fallback{50};

/// What the other side may send before the handshake is done, and of that its certificates.
inline constexpr std::size_t tls_handshake_bytes = 256 * 1024;
inline constexpr std::size_t tls_certificate_bytes = 64 * 1024;

/// A certificate, a key or a list of authorities in a file; nothing beyond it is read.
inline constexpr std::size_t tls_file_bytes = 8 * 1024 * 1024;

/// What is shown and remembered of a peer's certificates.
inline constexpr std::size_t tls_certificates_shown = 10;

} // namespace pipit::limits
