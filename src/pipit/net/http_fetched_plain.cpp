// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/detail/http_fetched.hpp>

namespace pipit::net::detail {

void fetch_plainly(const asio::any_io_executor& executor, http_request request,
                   http_answered done) {
    std::make_shared<http_fetched<beast::tcp_stream>>(beast::tcp_stream(executor),
                                                      std::move(request), std::move(done))
        ->start();
}

} // namespace pipit::net::detail
