// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

namespace pipit::net {

/// What can go wrong here that is not the system's own error.
enum class errc {
    invalid_proxy_header = 1, ///< The detail says what about it.
    unsupported_proxy_header,
    closed,              ///< The other end is gone.
    timeout,             ///< Nothing came, or nothing was taken, in the time given.
    invalid_http,        ///< What came is not the head of an HTTP/1.1 message, or has no end.
    websocket_refused,   ///< The detail says why.
    websocket_violation, ///< Frames that break RFC 6455; the detail says how.
    websocket_too_big,   ///< A compressed message above its bound.

    unusable_tls_file,     ///< A certificate, a key or a list of authorities.
    unusable_tls_settings, ///< Of TLS.
    not_tls,               ///< The other side speaks something else.
    tls_failed,
    tls_refused, ///< By the other side, which sent an alert.
    tls_certificate_expired,
    tls_unknown_authority,
    tls_wrong_name,
    tls_certificate_refused, ///< By somebody who was asked about it.
    tls_no_certificate,      ///< The other side showed none.
};

[[nodiscard]] error_code make_error_code(errc value) noexcept;

} // namespace pipit::net

template <>
struct boost::system::is_error_code_enum<pipit::net::errc> : std::true_type {};
