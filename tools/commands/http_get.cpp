// SPDX-License-Identifier: Apache-2.0
#include <commands/http_get.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace pipit::cli {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::uint64_t body_bytes_max = std::uint64_t{256} * 1024 * 1024;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

error invalid(const std::string& what) {
    return {make_error_code(boost::system::errc::invalid_argument), what};
}

} // namespace

result<http_address> parse_http_url(const std::string& url) {
    constexpr std::string_view scheme = "http://";
    if (url.starts_with("https://")) return invalid("'" + url + "': https is not supported");
    std::string_view rest = url;
    if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
    http_address address;
    const auto slash = rest.find('/');
    if (slash != std::string_view::npos) address.path = rest.substr(slash);
    while (address.path.ends_with('/')) address.path.pop_back();
    rest = rest.substr(0, slash);
    const bool is_ipv6 = rest.starts_with('[');
    const auto bracket = is_ipv6 ? rest.find(']') : std::string_view::npos;
    const auto colon = rest.find(':', is_ipv6 && bracket != std::string_view::npos ? bracket : 0);
    address.host = is_ipv6 ? rest.substr(1, bracket - 1) : rest.substr(0, colon);
    if (colon != std::string_view::npos) address.port = rest.substr(colon + 1);
    const bool port_is_number =
        !address.port.empty() && address.port.find_first_not_of("0123456789") == std::string::npos;
    if (address.host.empty() || !port_is_number) {
        return invalid("'" + url + "' is not a monitoring URL, as http://HOST:8222 is");
    }
    return address;
}

asio::awaitable<result<std::string>> http_get(http_address from, std::string target,
                                              nanoseconds timeout) {
    const auto executor = co_await asio::this_coro::executor;
    const auto where = from.host + ":" + from.port;
    asio::ip::tcp::resolver resolver(executor);
    const auto [unknown, found] = co_await resolver.async_resolve(from.host, from.port, as_result);
    if (unknown) co_return error(unknown, where);
    beast::tcp_stream stream(executor);
    stream.expires_after(timeout);
    const auto [refused, endpoint] = co_await stream.async_connect(found, as_result);
    if (refused) co_return error(refused, where);
    http::request<http::empty_body> request(http::verb::get, from.path + target, 11);
    request.set(http::field::host, where);
    request.set(http::field::connection, "close");
    const auto [unsent, sent_bytes] = co_await http::async_write(stream, request, as_result);
    if (unsent) co_return error(unsent, where);
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(body_bytes_max);
    const auto [unread, read_bytes] = co_await http::async_read(stream, buffer, parser, as_result);
    if (unread) co_return error(unread, where);
    auto& answer = parser.get();
    if (answer.result() != http::status::ok) {
        co_return invalid(where + from.path + target + " answered " +
                          std::to_string(answer.result_int()));
    }
    co_return std::move(answer.body());
}

} // namespace pipit::cli
