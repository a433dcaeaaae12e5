// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/detail/asio_tls.hpp>
#include <pipit/net/detail/http_served.hpp>

#include <boost/asio/ssl/stream.hpp>

namespace pipit::net::detail {

void begin_secure_http(tcp::socket socket, const tls_context& tls, const http_surroundings& its) {
    auto context = asio_context_of(tls);
    using stream = asio::ssl::stream<beast::tcp_stream>;
    std::make_shared<http_connection<stream>>(stream(beast::tcp_stream(std::move(socket)), context),
                                              its)
        ->begin();
}

} // namespace pipit::net::detail
