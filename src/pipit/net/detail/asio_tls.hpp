// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/detail/tls_state.hpp>

#include <boost/asio/ssl/context.hpp>

namespace pipit::net::detail {

/// Asio's context, which shares OpenSSL's with ours and keeps that alive by itself.
[[nodiscard]] inline boost::asio::ssl::context asio_context_of(const tls_context& tls) {
    auto* const shared = tls.internals().contexts.front().get();
    SSL_CTX_up_ref(shared);
    return boost::asio::ssl::context(shared);
}

} // namespace pipit::net::detail
