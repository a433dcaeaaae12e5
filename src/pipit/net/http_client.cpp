// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/error.hpp>
#include <pipit/net/http_client.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <charconv>

namespace pipit::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

std::string host_header_of(const http_url& url) {
    const bool is_ipv6 = url.host.find(':') != std::string::npos;
    auto text = is_ipv6 ? '[' + url.host + ']' : url.host;
    if (url.port != 80) (text += ':') += std::to_string(url.port);
    return text;
}

/// One request and its answer, step after step; it ends with `done`.
class exchange {
public:
    exchange(asio::io_context& events, const http_post_request& request)
        : names_(events), stream_(events), request_(request) {
        message_.method(http::verb::post);
        message_.target(request.to.target);
        message_.version(11);
        message_.set(http::field::host, host_header_of(request.to));
        message_.set(http::field::content_type, request.content_type);
        message_.set(http::field::connection, "close");
        message_.body() = request.body;
        message_.prepare_payload();
        parser_.body_limit(request.answer_bytes_max);
    }

    void start() {
        stream_.expires_after(
            std::chrono::duration_cast<std::chrono::nanoseconds>(request_.timeout));
        names_.async_resolve(request_.to.host, std::to_string(request_.to.port),
                             [this](error_code failed, const tcp::resolver::results_type& found) {
                                 if (failed) return end(failed);
                                 stream_.async_connect(found, [this](error_code why, const auto&) {
                                     on_connected(why);
                                 });
                             });
    }

    std::optional<result<http_response>> outcome;

private:
    void on_connected(error_code failed) {
        if (failed) return end(failed);
        http::async_write(stream_, message_, [this](error_code why, std::size_t) {
            if (why) return end(why);
            http::async_read(stream_, buffer_, parser_,
                             [this](error_code read_failed, std::size_t) { end(read_failed); });
        });
    }
    void end(error_code failed) {
        if (failed) {
            outcome = error(failed, failed.message());
            return;
        }
        auto& answer = parser_.get();
        const auto type = answer[http::field::content_type];
        outcome = http_response{.status = static_cast<int>(answer.result_int()),
                                .content_type = std::string(type.data(), type.size()),
                                .body = std::move(answer.body())};
    }

    tcp::resolver names_;
    beast::tcp_stream stream_;
    const http_post_request& request_;
    http::request<http::string_body> message_;
    beast::flat_buffer buffer_;
    http::response_parser<http::string_body> parser_;
};

} // namespace

std::optional<http_url> parse_http_url(std::string_view text) {
    constexpr std::string_view scheme = "http://";
    if (!text.starts_with(scheme)) return std::nullopt;
    text.remove_prefix(scheme.size());
    http_url url;
    const auto end = text.find_first_of("/?");
    auto place = text.substr(0, end);
    if (end != std::string_view::npos) {
        url.target = text.substr(end);
        if (url.target.front() == '?') url.target.insert(0, "/");
    }
    if (url.target.find_first_of(" \t\r\n") != std::string::npos) return std::nullopt;
    if (place.find('@') != std::string_view::npos) return std::nullopt;
    const auto bracket = place.rfind(']');
    const auto colon = place.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
        const auto digits = place.substr(colon + 1);
        const auto [stop, failed] =
            std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
        if (failed != std::errc{} || stop != digits.data() + digits.size() || url.port == 0) {
            return std::nullopt;
        }
        place = place.substr(0, colon);
    }
    if (place.starts_with('[') && place.ends_with(']')) place = place.substr(1, place.size() - 2);
    if (place.empty()) return std::nullopt;
    url.host = place;
    return url;
}

result<http_response> http_post(const http_post_request& request) {
    asio::io_context events;
    exchange one(events, request);
    one.start();
    events.run_for(std::chrono::duration_cast<std::chrono::nanoseconds>(request.timeout));
    if (one.outcome) return std::move(*one.outcome);
    return error(errc::timed_out, "no answer in time");
}

} // namespace pipit::net
