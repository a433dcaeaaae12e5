// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// Bounds of what those cost together who have not said who they are.
namespace pipit::limits {

/// What the strangers of one loop have sent and it has to keep: handshakes, heads of requests,
/// CONNECTs that have not ended or are being checked. Beyond it some of them have to go.
inline constexpr std::size_t stranger_bytes = 32 * 1024 * 1024;

/// What each of them counts beside its bytes.
inline constexpr std::size_t stranger_bytes_min = 512;

/// What a TLS handshake that has begun counts: what OpenSSL has allocated for it by then.
inline constexpr std::size_t tls_handshake_memory = 48 * 1024;

/// The first message of a TLS handshake. OpenSSL would make room for whatever it announces, up to
/// 128 KB; those of today's clients have 300 to 4,000 bytes, with a ticket for a large certificate
/// some more.
inline constexpr std::size_t tls_hello_bytes = 32 * 1024;

} // namespace pipit::limits
