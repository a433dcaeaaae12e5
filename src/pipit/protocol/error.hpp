// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

namespace pipit::protocol {

/// What can go wrong in the protocol library itself; what a peer says is an event, not an `errc`.
enum class errc {
    unknown_operation = 1, ///< The peer sent something that is no operation.
    control_line_too_long,
    payload_too_large,
    headers_not_supported,
    invalid_arguments, ///< An operation with missing, superfluous or unreadable arguments.
    invalid_subject,
    invalid_mapping, ///< The detail says why, in nats-server's words.
    invalid_header,
    invalid_json,
    invalid_url,
    output_full,   ///< More is queued for the peer than the limit allows.
    not_connected, ///< The command needs an established connection.
    no_servers,    ///< Every server of the pool was tried or removed.
    closed,
    transport_closed, ///< The peer closed the transport, or it broke.
    timeout,
    stale_connection,      ///< Pings were not answered.
    refused_by_peer,       ///< The peer said `-ERR`; the detail is its text, as of the next two.
    authorization_refused, ///< It does not take the credentials, or takes them no longer.
    permission_denied,     ///< It does not let this client publish, or subscribe, there.
    tls_not_offered,
    left_server,     ///< The user asked to reconnect.
    connection_lost, ///< Before the answer came.
    no_responders,   ///< Nobody is subscribed to the request's subject.
    cancelled,
    draining, ///< The connection is ending and takes nothing new.
};

error_code make_error_code(errc value) noexcept;

} // namespace pipit::protocol

template <>
struct boost::system::is_error_code_enum<pipit::protocol::errc> : std::true_type {};
