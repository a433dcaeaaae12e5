// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/detail/asio_tls.hpp>
#include <pipit/net/detail/http_fetched.hpp>
#include <pipit/net/error.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace pipit::net::detail {

void fetch_securely(const asio::any_io_executor& executor, http_request request,
                    http_answered done) {
    auto context = asio_context_of(*request.tls);
    using stream = asio::ssl::stream<beast::tcp_stream>;
    const auto tls = request.tls;
    const auto one = std::make_shared<http_fetched<stream>>(
        stream(beast::tcp_stream(executor), context), std::move(request), std::move(done));
    if (expect_name(one->stream().native_handle(), *tls, one->url().host)) return one->start();
    asio::post(executor, [one] { one->end(errc::tls_failed); });
}

} // namespace pipit::net::detail
