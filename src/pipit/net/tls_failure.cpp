// SPDX-License-Identifier: Apache-2.0
// What went wrong with TLS, for people: logs and tools look for the words that Go's programs use.
#include <pipit/net/detail/tls_failure.hpp>
#include <pipit/net/detail/tls_state.hpp>
#include <pipit/net/error.hpp>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <string>

namespace pipit::net {
namespace {

struct alert {
    int number;
    std::string_view text;
};
/// Source: Go's `crypto/tls/alert.go`.
constexpr std::array alerts{
    alert{SSL3_AD_UNEXPECTED_MESSAGE, "unexpected message"},
    alert{SSL3_AD_BAD_RECORD_MAC, "bad record MAC"},
    alert{TLS1_AD_RECORD_OVERFLOW, "record overflow"},
    alert{SSL3_AD_HANDSHAKE_FAILURE, "handshake failure"},
    alert{SSL3_AD_BAD_CERTIFICATE, "bad certificate"},
    alert{SSL3_AD_UNSUPPORTED_CERTIFICATE, "unsupported certificate"},
    alert{SSL3_AD_CERTIFICATE_REVOKED, "revoked certificate"},
    alert{SSL3_AD_CERTIFICATE_EXPIRED, "expired certificate"},
    alert{SSL3_AD_CERTIFICATE_UNKNOWN, "unknown certificate"},
    alert{SSL3_AD_ILLEGAL_PARAMETER, "illegal parameter"},
    alert{TLS1_AD_UNKNOWN_CA, "unknown certificate authority"},
    alert{TLS1_AD_ACCESS_DENIED, "access denied"},
    alert{TLS1_AD_DECODE_ERROR, "error decoding message"},
    alert{TLS1_AD_DECRYPT_ERROR, "error decrypting message"},
    alert{TLS1_AD_PROTOCOL_VERSION, "protocol version not supported"},
    alert{TLS1_AD_INSUFFICIENT_SECURITY, "insufficient security level"},
    alert{TLS1_AD_INTERNAL_ERROR, "internal error"},
    alert{TLS1_AD_USER_CANCELLED, "user canceled"},
    alert{TLS1_AD_NO_RENEGOTIATION, "no renegotiation"},
    alert{TLS13_AD_MISSING_EXTENSION, "missing extension"},
    alert{TLS1_AD_UNSUPPORTED_EXTENSION, "unsupported extension"},
    alert{TLS1_AD_UNRECOGNIZED_NAME, "unrecognized name"},
    alert{TLS13_AD_CERTIFICATE_REQUIRED, "certificate required"},
};

error told_by_alert(int number) {
    for (const auto& [known, text] : alerts) {
        if (known != number) continue;
        return {errc::tls_refused, "remote error: tls: " + std::string(text)};
    }
    return {errc::tls_refused, "remote error: tls: alert(" + std::to_string(number) + ")"};
}

error certificate_failure(long verdict) {
    const auto said = [](errc code, std::string_view why) {
        return error(code, "tls: failed to verify certificate: x509: " + std::string(why));
    };
    switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return said(errc::tls_certificate_expired, "certificate has expired or is not yet valid: "
                                                   "it has expired");
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return said(errc::tls_certificate_expired, "certificate has expired or is not yet valid: "
                                                   "it is not yet valid");
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return said(errc::tls_wrong_name, "certificate is not valid for this name");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return said(errc::tls_unknown_authority, "certificate signed by unknown authority");
    default: return said(errc::tls_failed, X509_verify_cert_error_string(verdict));
    }
}

} // namespace

error describe_tls_failure(const SSL* connection) {
    const auto code = ERR_peek_error();
    const char* const text = ERR_reason_error_string(code);
    const std::string reason = text != nullptr ? text : "unknown failure";
    ERR_clear_error();
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) return {errc::tls_failed, "tls: " + reason};
    const auto number = ERR_GET_REASON(code);
    if (number > SSL_AD_REASON_OFFSET) return told_by_alert(number - SSL_AD_REASON_OFFSET);
    switch (number) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        return certificate_failure(SSL_get_verify_result(connection));
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return {errc::tls_no_certificate, "tls: client didn't provide a certificate"};
    case SSL_R_UNSUPPORTED_PROTOCOL:
        return {errc::tls_failed, "tls: the other side offered only unsupported versions"};
    case SSL_R_NO_SHARED_CIPHER:
        return {errc::tls_failed, "tls: no cipher suite supported by both client and server"};
    default: return {errc::tls_failed, "tls: " + reason};
    }
}

} // namespace pipit::net
