// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/distinguished_name.hpp>
#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pipit::auth {

/// What a certificate says about its holder, as far as somebody asks. Whether it is a good one is
/// for TLS to know.
struct certificate {
    std::string subject; ///< As Go's programs write it.
    std::vector<std::string> emails;
    std::vector<std::string> dns_names;
    std::vector<std::string> uris;
    /// The subject, its last part first; nothing when an attribute is of a rare kind.
    std::optional<distinguished_name> name;
    std::string common_subject;         ///< The subject's attributes that Go has names for.
    std::string subject_and_components; ///< Behind those the `DC=…`; empty without any.
    std::string key_sha256;             ///< Of the public key, in hex.
    std::string sha256;                 ///< Of the certificate, in hex.
};

/// Reads a certificate in DER.
/// Errors: `errc::invalid_certificate`.
[[nodiscard]] result<certificate> read_certificate(bytes_view der);

} // namespace pipit::auth
