// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace pipit::protocol {

/// Why a server closed a connection; the text is what `connz` and disconnect events show.
/// Source: client-protocol, section 5; the order is nats-server's.
enum class close_reason : std::uint8_t {
    none,
    client_closed,
    authentication_timeout,
    authentication_failure,
    tls_handshake_failure,
    slow_consumer_pending_bytes,
    slow_consumer_write_deadline,
    write_error,
    read_error,
    parse_error,
    stale_connection,
    protocol_violation,
    bad_client_protocol_version,
    wrong_port,
    max_connections_exceeded,
    max_account_connections_exceeded,
    max_payload_exceeded,
    max_control_line_exceeded,
    max_subscriptions_exceeded,
    duplicate_route,
    route_removed,
    server_shutdown,
    authentication_expired,
    wrong_gateway,
    missing_account,
    credentials_revoked,
    internal_client,
    message_header_violation,
    no_responders_requires_headers,
    cluster_name_conflict,
    duplicate_remote_leafnode_connection,
    duplicate_client_id,
    duplicate_server_name,
    minimum_version_required,
    cluster_names_identical,
    kicked,
    proxy_not_trusted,
    proxy_required,
};

/// For example "Slow Consumer (Pending Bytes)"; "Unknown State" for `none`.
[[nodiscard]] std::string_view text(close_reason reason) noexcept;

} // namespace pipit::protocol
