// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/detail/http_exchange.hpp>
#include <pipit/net/detail/tls_state.hpp>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace pipit::net::detail {

void begin_secure_http(tcp::socket socket, const tls_context& tls, const http_surroundings& its) {
    // Asio's context shares OpenSSL's with ours; the connection keeps that alive by itself.
    auto* const shared = tls.internals().contexts.front().get();
    SSL_CTX_up_ref(shared);
    asio::ssl::context secure(shared);
    using stream = asio::ssl::stream<beast::tcp_stream>;
    std::make_shared<http_connection<stream>>(stream(beast::tcp_stream(std::move(socket)), secure),
                                              its)
        ->begin();
}

} // namespace pipit::net::detail
