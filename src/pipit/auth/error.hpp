// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

namespace pipit::auth {

/// Why something of this module could not be made or read.
enum class errc {
    invalid_permission = 1, ///< The detail says which subject or queue.
    invalid_nkey_encoding,
    invalid_nkey_checksum,
    invalid_nkey_prefix,
    invalid_nkey_length,
    invalid_creds, ///< The detail says what is missing.
    invalid_jwt,   ///< The detail says what is wrong with it.
    invalid_xkey,  ///< The detail says what is wrong with it.
    invalid_certificate,
    invalid_distinguished_name,
    invalid_signature,        ///< The detail says what is wrong with it.
    invalid_ocsp_answer,      ///< The detail says what is wrong with it.
    unauthorized_ocsp_signer, ///< All is well but that the issuer has not charged the signer.
};

[[nodiscard]] error_code make_error_code(errc value) noexcept;

} // namespace pipit::auth

template <>
struct boost::system::is_error_code_enum<pipit::auth::errc> : std::true_type {};
