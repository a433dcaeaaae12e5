// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/net/detail/tls_state.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pipit::net::detail {

/// What is known of a server's connection whose client somebody else judges. OpenSSL's handshake
/// cannot wait for him; so no more of the client's bytes are given to it until he has answered.
struct tls_judgement {
    /// What OpenSSL found; as soon as there is something, the handshake waits.
    std::optional<certificate_chains> chains;
    /// Protects what this side sends first after its handshake, in TLS 1.3.
    std::string traffic_secret;

    /// Wipes it.
    void forget_secret() noexcept;

    tls_judgement() = default;
    ~tls_judgement();
    tls_judgement(const tls_judgement&) = delete;
    tls_judgement& operator=(const tls_judgement&) = delete;
};

/// What OpenSSL's callbacks need. It goes with OpenSSL's context, which may outlive ours: Asio's
/// connections keep that alone.
struct called_back {
    tls_server_parts parts;
    std::vector<ssl_context_pointer> others; ///< For other names; of the first context.
};
/// Owns it from then on.
called_back& keep_with(SSL_CTX* context, called_back what);

/// From then on each connection of this context has to have a `tls_judgement`, which gets what its
/// owner has to ask somebody about. Without one no client is taken.
void judge_peers_of(SSL_CTX* context);
/// Null: none.
void set_judgement(SSL* ssl, tls_judgement* judgement);

/// What tells a client that its certificate is not taken, in place of what OpenSSL would have sent
/// next. Empty: it cannot be told.
[[nodiscard]] std::string bad_certificate_alert(const SSL* ssl, bytes_view traffic_secret);

/// Adds a certificate in DER, as long as there are not too many.
void add_certificate(std::vector<std::string>& to, X509* one);

} // namespace pipit::net::detail
