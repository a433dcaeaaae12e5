// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

/// What a configuration says of asking authorities about certificates. Source: ADR-38.
namespace pipit::server {

/// A listener's `ocsp_peer`: the clients' certificates are asked about.
struct ocsp_peer_options {
    bool verify = false;
    nanoseconds ca_timeout = std::chrono::seconds(2); ///< For each place that is asked.
    nanoseconds allowed_clockskew = std::chrono::seconds(30);
    bool warn_only = false;
    bool unknown_is_good = false;
    bool allow_when_ca_unreachable = false;
    /// So long an answer holds that does not say how long.
    nanoseconds cache_ttl_when_next_update_unset = std::chrono::hours(1);
    friend bool operator==(const ocsp_peer_options&, const ocsp_peer_options&) = default;
};

/// `ocsp_cache`: where the answers about clients are kept.
struct ocsp_cache_options {
    bool is_kept = true;              ///< False: its type is `none`.
    std::string local_store = "_rc_"; ///< A folder.
    bool preserve_revoked = false;    ///< One that was called back stays so.
    nanoseconds save_interval = std::chrono::minutes(5);
    friend bool operator==(const ocsp_cache_options&, const ocsp_cache_options&) = default;
};

/// `ocsp`: what is shown together with the server's own certificate.
struct ocsp_staple_options {
    enum class policy : std::uint8_t {
        automatic, ///< If the certificate demands it.
        always,
        never,
        must, ///< As `automatic`, and the server ends when its certificate is called back.
    };
    policy mode = policy::automatic;
    std::vector<std::string> urls; ///< In place of those in the certificate.
    friend bool operator==(const ocsp_staple_options&, const ocsp_staple_options&) = default;
};

} // namespace pipit::server
