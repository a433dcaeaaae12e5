// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/http.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace pipit::net::detail {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

/// As a `Date` header has it.
[[nodiscard]] std::string http_date(std::time_t time);
[[nodiscard]] http_response refusal(http::status status, std::string text);
/// What to answer to a request that cannot be read; nothing when nobody waits for an answer.
[[nodiscard]] std::optional<http_response> answer_to(const beast::error_code& problem);
/// What to say of a request's `Host`, in the words of Go's server; empty: it is right.
/// Source: RFC 9112, section 3.2.
[[nodiscard]] std::string_view host_problem(const http::request<http::string_body>& request);

} // namespace pipit::net::detail
