// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

/// Bounds of what decides who somebody is, and of what waits for it.
namespace pipit::limits {

/// A CONNECT of somebody who has to log in may be so long, whatever `max_control_line` says: a JWT
/// with many permissions is.
inline constexpr std::size_t connect_bytes = 64 * 1024;

/// Passwords, signatures and JWTs that wait for a worker, of all connections of a loop: beside
/// their number, how large they may be together. More are refused.
inline constexpr std::size_t open_logins = 16 * 1024;
inline constexpr std::size_t open_login_bytes = 64 * 1024 * 1024;
/// The last of those are for parties that have few of them: whoever asks very often leaves room
/// for others. One in so many is kept, and so many of one party are few.
inline constexpr std::size_t open_logins_kept_part = 4;
inline constexpr std::size_t open_logins_few_part = 64;

/// Who has not said who it is, is read in such pieces: what comes behind a CONNECT that is being
/// checked has to be kept.
inline constexpr std::size_t stranger_read_bytes = 4 * 1024;

/// What is shown of a name in the log line that refuses it.
inline constexpr std::size_t refused_name_bytes = 256;

/// What is remembered of the connections of one loop that have closed: their texts, and those of
/// their subscriptions.
inline constexpr std::size_t closed_clients_bytes = 32 * 1024 * 1024;

/// As nats-server: a JWT. What is nested deeper is no claim.
inline constexpr std::size_t jwt_bytes = 1024 * 1024;
inline constexpr std::size_t jwt_depth = 16;
/// As nats-server: subjects that one line of a scoped signing key's template may become.
inline constexpr std::size_t template_subjects = 4096;

/// Services that are asked by HTTP who may come in: at the same time, and what one may answer.
inline constexpr std::size_t http_callouts = 4;
inline constexpr std::size_t http_callout_bytes = 64 * 1024;

/// Services that are asked again what somebody may do: how many questions of a loop are open at
/// once, so that logins need not wait for them, and how far apart they are at most.
inline constexpr std::size_t open_refreshes = 32;
inline constexpr std::chrono::hours refresh_interval_max{30 * 24};

/// JWTs of users that were verified and need not be again; beyond it the oldest is forgotten.
inline constexpr std::size_t verified_jwts = 64 * 1024;
inline constexpr std::size_t verified_jwt_bytes = 64 * 1024 * 1024;

/// Accounts that are waited for, how many of them are fetched at once, and how long that takes at
/// most. Of a party that waits for this many already, no more when it gets crowded.
inline constexpr std::size_t account_fetches = 1024;
inline constexpr std::size_t account_fetches_at_once = 64;
inline constexpr std::size_t account_fetches_of_party = 16;
inline constexpr std::chrono::milliseconds account_fetch_timeout{1900};

} // namespace pipit::limits
