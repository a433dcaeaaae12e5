// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace pipit::net::test {

/// OpenSSL's own client, of one version: it does what a filter never would.
class tls_client {
public:
    explicit tls_client(int version)
        : context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_)) {
        SSL_set_min_proto_version(ssl_, version);
        SSL_set_max_proto_version(ssl_, version);
        SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(ssl_);
    }
    ~tls_client() {
        SSL_free(ssl_);
        SSL_CTX_free(context_);
    }
    tls_client(const tls_client&) = delete;
    tls_client& operator=(const tls_client&) = delete;

    [[nodiscard]] SSL* ssl() const noexcept { return ssl_; }

    void give(bytes_view from_wire) {
        if (from_wire.empty()) return;
        BIO_write(SSL_get_rbio(ssl_), from_wire.data(), static_cast<int>(from_wire.size()));
    }
    /// What it wants to send.
    std::string take() {
        std::string sent(100'000, '\0');
        const auto count = BIO_read(SSL_get_wbio(ssl_), sent.data(), static_cast<int>(sent.size()));
        sent.resize(static_cast<std::size_t>(std::max(count, 0)));
        return sent;
    }

private:
    SSL_CTX* context_;
    SSL* ssl_;
};

} // namespace pipit::net::test
