// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/error.hpp>

#include <pipit/base/errc_category.hpp>

namespace pipit::protocol {
namespace {

const char* sentence(errc value) {
    switch (value) {
    case errc::unknown_operation: return "the peer sent an unknown protocol operation";
    case errc::control_line_too_long: return "a control line is longer than the limit";
    case errc::payload_too_large: return "headers and payload are larger than max_payload";
    case errc::headers_not_supported: return "the peer does not support message headers";
    case errc::invalid_arguments: return "an operation has invalid arguments";
    case errc::invalid_subject: return "the subject is not valid here";
    case errc::invalid_mapping: return "the subject mapping is not valid";
    case errc::invalid_header: return "a message header is malformed";
    case errc::invalid_json: return "the JSON text is malformed or of the wrong type";
    case errc::invalid_url: return "the server URL is not valid";
    case errc::output_full: return "too many bytes are waiting to be sent";
    case errc::not_connected: return "there is no connection to a server";
    case errc::no_servers: return "no server is available";
    case errc::closed: return "the connection is closed";
    case errc::transport_closed: return "the transport was closed";
    case errc::timeout: return "timed out";
    case errc::stale_connection: return "pings were not answered";
    case errc::refused_by_peer: return "the peer refused";
    case errc::authorization_refused: return "the login was refused";
    case errc::permission_denied: return "not permitted";
    case errc::tls_not_offered: return "the server does not offer TLS";
    case errc::left_server: return "the server was left on demand";
    case errc::connection_lost: return "the connection was lost";
    case errc::no_responders: return "no responders";
    case errc::cancelled: return "cancelled";
    case errc::draining: return "the connection is being drained";
    }
    return "unknown protocol error";
}

} // namespace

error_code make_error_code(errc value) noexcept {
    static constinit const errc_category<errc> category("pipit.protocol", sentence);
    return {static_cast<int>(value), category};
}

} // namespace pipit::protocol
