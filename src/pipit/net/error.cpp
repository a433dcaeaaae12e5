// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/error.hpp>

#include <pipit/base/errc_category.hpp>

namespace pipit::net {
namespace {

const char* sentence(errc value) {
    switch (value) {
    case errc::invalid_proxy_header: return "invalid PROXY protocol header";
    case errc::unsupported_proxy_header: return "unsupported PROXY protocol feature";
    case errc::closed: return "the other end closed the connection";
    case errc::timeout: return "the other end did not answer in time";
    case errc::invalid_http: return "malformed HTTP";
    case errc::websocket_refused: return "WebSocket refused";
    case errc::websocket_violation: return "WebSocket protocol violation";
    case errc::websocket_too_big: return "WebSocket message too big";
    case errc::unusable_tls_file: return "a file for TLS cannot be used";
    case errc::unusable_tls_settings: return "TLS cannot be set up";
    case errc::not_tls: return "the other end does not speak TLS";
    case errc::tls_failed: return "TLS failed";
    case errc::tls_refused: return "the other end refused TLS";
    case errc::tls_certificate_expired: return "the certificate has expired";
    case errc::tls_unknown_authority: return "the certificate's authority is not known";
    case errc::tls_wrong_name: return "the certificate is for another name";
    case errc::tls_certificate_refused: return "the other end's certificate was refused";
    case errc::tls_no_certificate: return "the other end showed no certificate";
    }
    return "unknown network error";
}

} // namespace

error_code make_error_code(errc value) noexcept {
    static constinit const errc_category<errc> category("pipit.net", sentence);
    return {static_cast<int>(value), category};
}

} // namespace pipit::net
