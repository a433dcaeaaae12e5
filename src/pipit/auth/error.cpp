// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/error.hpp>

#include <pipit/base/errc_category.hpp>

namespace pipit::auth {
namespace {

const char* sentence(errc value) {
    switch (value) {
    case errc::invalid_permission: return "a permission is not valid";
    case errc::invalid_nkey_encoding: return "the key is not written in base32";
    case errc::invalid_nkey_checksum: return "the key is mistyped: its checksum is wrong";
    case errc::invalid_nkey_prefix: return "the key is not of the kind that is wanted here";
    case errc::invalid_nkey_length: return "the key does not hold 32 bytes";
    case errc::invalid_creds: return "not a file of credentials";
    case errc::invalid_jwt: return "not a valid JWT";
    case errc::invalid_xkey: return "not sealed for this key";
    case errc::invalid_certificate: return "not a certificate";
    case errc::invalid_distinguished_name: return "not a distinguished name";
    case errc::invalid_signature: return "not a signature";
    case errc::invalid_ocsp_answer: return "not an authority's answer about the certificate";
    case errc::unauthorized_ocsp_signer: return "the authority has not charged the signer";
    }
    return "unknown authentication error";
}

} // namespace

error_code make_error_code(errc value) noexcept {
    static constinit const errc_category<errc> category("pipit.auth", sentence);
    return {static_cast<int>(value), category};
}

} // namespace pipit::auth
