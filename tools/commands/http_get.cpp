// SPDX-License-Identifier: Apache-2.0
#include <commands/http_get.hpp>

#include <pipit/base/join_host_port.hpp>
#include <pipit/base/url_list.hpp>
#include <pipit/net/error.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace pipit::cli {
namespace {

constexpr std::size_t body_bytes_max = std::size_t{256} * 1024 * 1024;

error invalid(const std::string& what) {
    return {make_error_code(boost::system::errc::invalid_argument), what};
}

asio::awaitable<result<net::http_response>> fetch(asio::any_io_executor executor,
                                                  net::http_request asked) {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(result<net::http_response>)>(
        [executor](auto done, net::http_request request) {
            net::fetch_http(executor, std::move(request), std::move(done));
        },
        asio::use_awaitable, std::move(asked));
}

} // namespace

result<net::http_url> parse_monitoring_url(const std::string& url) {
    const bool has_scheme = url.find("://") != std::string::npos;
    auto parsed = net::parse_http_url(has_scheme ? url : "http://" + url, 8222);
    if (!parsed)
        return invalid("'" + urls_without_users(url) +
                       "' is not a monitoring URL, as http://HOST:8222 is");
    while (parsed->target.ends_with('/')) parsed->target.pop_back();
    return *parsed;
}

asio::awaitable<result<std::string>> http_get(monitoring_port from, std::string target) {
    const auto where = join_host_port(from.url.host, from.url.port);
    net::http_request request{.to = std::move(from.url),
                              .content_type = {},
                              .body = {},
                              .timeout = from.timeout,
                              .answer_bytes_max = body_bytes_max};
    request.to.target += target;
    const auto page = request.to.target;
    if (request.to.is_secure) {
        auto tls = net::tls_context::for_client(from.tls);
        if (!tls) co_return tls.error();
        request.tls = std::move(*tls);
    }
    const auto executor = co_await asio::this_coro::executor;
    auto answer = co_await fetch(executor, std::move(request));
    if (!answer && answer.error() == net::errc::invalid_http) {
        co_return invalid(where + " does not answer as HTTP does");
    }
    if (!answer) co_return error(answer.error().code(), where);
    if (answer->status != 200) {
        co_return invalid(where + page + " answered " + std::to_string(answer->status));
    }
    co_return std::move(answer->body);
}

} // namespace pipit::cli
