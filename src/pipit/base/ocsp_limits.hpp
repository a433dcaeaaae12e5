// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

/// The bounds of what authorities are asked about certificates.
namespace pipit::limits {

/// How long monitoring's clients wait until their certificate is judged.
inline constexpr std::chrono::seconds peer_judgement{10};

/// The largest answer of an authority that is read; usual ones have 500 to 3,000 bytes.
inline constexpr std::size_t ocsp_response_bytes = 64 * 1024;

/// So many certificates are asked about at once, and so many of them at one authority: a slow one
/// leaves room for others.
inline constexpr std::size_t ocsp_questions = 64;
inline constexpr std::size_t ocsp_questions_of_authority = 8;

/// So many clients may be judged at once, and so many of them may wait for an answer. Where this
/// many are of one party, no more of it when half of the room is taken.
inline constexpr std::size_t ocsp_judged = 8192;
inline constexpr std::size_t ocsp_waiting = 4096;
inline constexpr std::size_t ocsp_waiting_of_party = 64;

/// How long an authority that could not be reached, and a certificate about which none has
/// answered, are not asked about again, and how many of those are remembered.
inline constexpr std::chrono::seconds ocsp_failure_memory{3};
inline constexpr std::size_t ocsp_failures = 4096;

/// The places where a certificate says that its authority can be asked; the others are left out.
inline constexpr std::size_t ocsp_responders = 8;

/// The answers that are kept, in number and together, and a file that holds all of them. Above it,
/// the one that is kept longest goes.
inline constexpr std::size_t ocsp_responses_kept = 8192;
inline constexpr std::size_t ocsp_bytes_kept = 32 * 1024 * 1024;
inline constexpr std::size_t ocsp_cache_file_bytes = 64 * 1024 * 1024;

/// As nats-server: how long an authority may take to answer a server about its own certificate,
/// when an answer that does not say how long it holds is asked for again, and one that is late.
inline constexpr std::chrono::seconds ocsp_staple_timeout{30};
inline constexpr std::chrono::hours ocsp_staple_interval{24};
inline constexpr std::chrono::minutes ocsp_staple_retry{2};

} // namespace pipit::limits
