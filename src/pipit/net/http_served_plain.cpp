// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/detail/http_served.hpp>

namespace pipit::net::detail {

void begin_plain_http(tcp::socket socket, party from, const http_dependencies& its) {
    using connection = http_connection<beast::tcp_stream>;
    std::make_shared<connection>(beast::tcp_stream(std::move(socket)), from, its)->begin();
}

} // namespace pipit::net::detail
