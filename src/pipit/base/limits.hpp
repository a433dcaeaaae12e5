// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// The upper bounds of Pipit's queues, buffers, caches and retries, and the protocol's defaults.
/// What a configuration may change is only its default here.
namespace pipit::limits {

/// Source: server-config, "Top-level keys"; the names are the configuration's.
inline constexpr std::size_t max_control_line_bytes = 4096;
inline constexpr std::size_t max_payload_bytes = 1024 * 1024;
inline constexpr std::size_t max_pending_bytes = 64 * 1024 * 1024;
inline constexpr std::int64_t max_connections = 65536;
inline constexpr std::chrono::seconds ping_interval{120};
inline constexpr int ping_max = 2;
inline constexpr std::chrono::seconds write_deadline{10};
inline constexpr std::chrono::seconds auth_timeout{2};
inline constexpr std::size_t max_closed_clients = 10000;

/// A loop reads all its connections through one buffer of this size.
inline constexpr std::size_t read_scratch_bytes = 256 * 1024;

/// What a client reads into: grows under load.
inline constexpr std::size_t input_buffer_bytes_min = 4 * 1024;
inline constexpr std::size_t input_buffer_bytes_max = 256 * 1024;

/// Loops of one server: what a word has bits for.
inline constexpr int loops = 64;

/// Sizes in PUB, HPUB, MSG and HMSG have at most this many digits.
inline constexpr std::size_t size_digits_max = 9;

/// A connection inside the process holds this much in each direction.
inline constexpr std::size_t pipe_bytes = 64 * 1024;

/// Of one client: what was asked and not answered, or the answer not taken; PINGs not answered.
inline constexpr std::size_t client_operations = std::size_t{1} << 20;
inline constexpr std::size_t client_pings = 64 * 1024;

/// A client that notices a deadline so much too late did not run: it was suspended, or busy. It
/// then takes so long to read what came meanwhile, before it calls anything late.
inline constexpr std::chrono::seconds client_suspended{1};
inline constexpr std::chrono::milliseconds client_resume_grace{100};

/// Of the monitoring's HTTP server. The timeout is for one request, one answer and an idle client.
inline constexpr std::size_t http_connections = 128;
inline constexpr std::size_t http_header_bytes = 16 * 1024;
inline constexpr std::chrono::seconds http_timeout{10};

/// A monitoring document shows at most this many subscriptions, whatever page was asked for: about
/// 100 MB while it is made. A loop copies so many of them, or of connections, at a time.
inline constexpr std::uint64_t shown_subscriptions = 250'000;
inline constexpr std::uint64_t subscriptions_at_a_time = 4096;
inline constexpr std::size_t sessions_at_a_time = 512;

/// /metrics has a series of its own for this many accounts; the rest are added up in one more.
inline constexpr std::size_t metrics_accounts = 100;

/// A user's JWT and seed in a file; nothing beyond it is read.
inline constexpr std::size_t creds_file_bytes = 1024 * 1024;

} // namespace pipit::limits
