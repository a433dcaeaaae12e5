// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/close_reason.hpp>

namespace pipit::protocol {

std::string_view text(close_reason reason) noexcept {
    switch (reason) {
    case close_reason::none: break;
    case close_reason::client_closed: return "Client Closed";
    case close_reason::authentication_timeout: return "Authentication Timeout";
    case close_reason::authentication_failure: return "Authentication Failure";
    case close_reason::tls_handshake_failure: return "TLS Handshake Failure";
    case close_reason::slow_consumer_pending_bytes: return "Slow Consumer (Pending Bytes)";
    case close_reason::slow_consumer_write_deadline: return "Slow Consumer (Write Deadline)";
    case close_reason::write_error: return "Write Error";
    case close_reason::read_error: return "Read Error";
    case close_reason::parse_error: return "Parse Error";
    case close_reason::stale_connection: return "Stale Connection";
    case close_reason::protocol_violation: return "Protocol Violation";
    case close_reason::bad_client_protocol_version: return "Bad Client Protocol Version";
    case close_reason::wrong_port: return "Incorrect Port";
    case close_reason::max_connections_exceeded: return "Maximum Connections Exceeded";
    case close_reason::max_account_connections_exceeded:
        return "Maximum Account Connections Exceeded";
    case close_reason::max_payload_exceeded: return "Maximum Message Payload Exceeded";
    case close_reason::max_control_line_exceeded: return "Maximum Control Line Exceeded";
    case close_reason::max_subscriptions_exceeded: return "Maximum Subscriptions Exceeded";
    case close_reason::duplicate_route: return "Duplicate Route";
    case close_reason::route_removed: return "Route Removed";
    case close_reason::server_shutdown: return "Server Shutdown";
    case close_reason::authentication_expired: return "Authentication Expired";
    case close_reason::wrong_gateway: return "Wrong Gateway";
    case close_reason::missing_account: return "Missing Account";
    case close_reason::credentials_revoked: return "Credentials Revoked";
    case close_reason::internal_client: return "Internal Client";
    case close_reason::message_header_violation: return "Message Header Violation";
    case close_reason::no_responders_requires_headers: return "No Responders Requires Headers";
    case close_reason::cluster_name_conflict: return "Cluster Name Conflict";
    case close_reason::duplicate_remote_leafnode_connection:
        return "Duplicate Remote LeafNode Connection";
    case close_reason::duplicate_client_id: return "Duplicate Client ID";
    case close_reason::duplicate_server_name: return "Duplicate Server Name";
    case close_reason::minimum_version_required: return "Minimum Version Required";
    case close_reason::cluster_names_identical: return "Cluster Names Identical";
    case close_reason::kicked: return "Kicked";
    case close_reason::proxy_not_trusted: return "Proxy Not Trusted";
    case close_reason::proxy_required: return "Proxy Required";
    }
    return "Unknown State";
}

} // namespace pipit::protocol
