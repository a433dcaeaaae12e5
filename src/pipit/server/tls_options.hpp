// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/tls_context.hpp>
#include <pipit/server/ocsp_options.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pipit::server {

/// What a `tls` block of a listener says.
struct tls_options {
    net::tls_settings settings;
    bool verify_and_map = false; ///< Who a client is stands in its certificate.
    nanoseconds timeout{};       ///< Of a handshake; 0: the default.
    /// SHA-256 of the keys of the clients that may connect, in hex; empty: all.
    std::vector<std::string> pinned_certs;
    std::int64_t connection_rate_limit = 0; ///< Handshakes in a second; 0: no limit.
    bool handshake_first = false;
    /// Who did not begin a handshake for so long gets INFO after all; 0: nobody does.
    nanoseconds handshake_first_fallback{};
    std::optional<ocsp_peer_options> ocsp_peer; ///< Nothing of it: as if false.
    /// What was in the files when they were checked.
    std::string files_digest;

    friend bool operator==(const tls_options&, const tls_options&) = default;
};

/// Authorities are asked about the clients' certificates.
[[nodiscard]] inline bool asks_about_peers(const std::optional<tls_options>& options) {
    return options && options->ocsp_peer && options->ocsp_peer->verify;
}

/// Reads the files and notes what is in them.
/// Errors: those of `net::tls_context::for_server`.
[[nodiscard]] result<> check_tls_files(tls_options& options);

} // namespace pipit::server
