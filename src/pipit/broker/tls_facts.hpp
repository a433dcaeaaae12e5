// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/certificate.hpp>

#include <string>
#include <vector>

namespace pipit::broker {

/// What is known of a connection's encryption, once it is there.
struct tls_facts {
    std::string version;                 ///< `1.3`
    std::string cipher_suite;            ///< `TLS_AES_128_GCM_SHA256`
    bool before_info = false;            ///< The handshake came first.
    std::vector<auth::certificate> peer; ///< What the client showed: its own first. Verified.
    std::vector<std::string> chain;      ///< From the client's own to the authority, in DER.
};

} // namespace pipit::broker
