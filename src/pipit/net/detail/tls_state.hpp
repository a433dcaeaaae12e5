// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/c_pointer.hpp>
#include <pipit/net/tls_context.hpp>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <vector>

namespace pipit::net {

using ssl_context_pointer = c_pointer<SSL_CTX, SSL_CTX_free>;
using certificate_pointer = c_pointer<X509, X509_free>;

/// One of OpenSSL's contexts for each certificate; the first one's is asked for the others.
struct tls_context::state {
    std::vector<ssl_context_pointer> contexts;
    std::optional<std::chrono::sys_seconds> valid_until;
    std::string files_digest;
    bool is_server = false;
    bool verifies_peer = false;
    tls_server_parts parts;
};

namespace detail {

/// A client's connection: whom it asks for, and whose certificate it takes if it verifies. False:
/// no certificate can be for such a name.
[[nodiscard]] bool expect_name(SSL* ssl, const tls_context& context, const std::string& name);

} // namespace detail
} // namespace pipit::net
