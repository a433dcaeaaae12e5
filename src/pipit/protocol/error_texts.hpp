// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <string>
#include <string_view>

/// What a server says behind `-ERR`, without the quotes. Clients compare these texts, so their
/// case is kept exactly.
/// Source: client-protocol, section 5.
namespace pipit::protocol::error_texts {

inline constexpr std::string_view unknown_operation = "Unknown Protocol Operation";
inline constexpr std::string_view authorization_violation = "Authorization Violation";
inline constexpr std::string_view authentication_timeout = "Authentication Timeout";
inline constexpr std::string_view user_authentication_expired = "User Authentication Expired";
inline constexpr std::string_view account_authentication_expired = "Account Authentication Expired";
inline constexpr std::string_view user_authentication_revoked = "User Authentication Revoked";
inline constexpr std::string_view failed_account_registration = "Failed Account Registration";
inline constexpr std::string_view max_connections = "maximum connections exceeded";
inline constexpr std::string_view max_account_connections =
    "maximum account active connections exceeded";
inline constexpr std::string_view max_subscriptions = "maximum subscriptions exceeded";
inline constexpr std::string_view max_payload = "Maximum Payload Violation";
inline constexpr std::string_view max_control_line = "maximum control line exceeded";
inline constexpr std::string_view invalid_client_protocol = "invalid client protocol";
inline constexpr std::string_view no_responders_requires_headers =
    "no responders requires headers support";
inline constexpr std::string_view invalid_subject = "Invalid Subject";
inline constexpr std::string_view invalid_publish_subject = "Invalid Publish Subject";
inline constexpr std::string_view stale_connection = "Stale Connection";
inline constexpr std::string_view tls_required = "Secure Connection - TLS Required";
inline constexpr std::string_view connection_throttled =
    "Connection throttling is active. Please try again later.";

/// The texts that name a subject. The names are `quoted`.
[[nodiscard]] std::string publish_violation(bytes_view subject);
[[nodiscard]] std::string reply_violation(bytes_view reply);
/// With `queue` empty: a plain subscription's text.
[[nodiscard]] std::string subscription_violation(bytes_view subject, bytes_view queue);
[[nodiscard]] std::string subscription_too_many_tokens(bytes_view subject);
/// What a reload says about a subscription that is allowed no longer.
[[nodiscard]] std::string subscription_withdrawn(bytes_view subject, bytes_view queue,
                                                 bytes_view sid);

} // namespace pipit::protocol::error_texts
