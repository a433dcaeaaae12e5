// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/http.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace pipit::net::detail {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

/// The whole answer to what is not a request, in the form and the words of Go's server; the
/// connection ends with it. Empty words: `400 Bad Request`.
[[nodiscard]] std::string refusal(http::status status, std::string_view words = {});
/// A request whose body is not looked at.
using http_request = http::request<http::buffer_body>;
/// How to refuse a request whose head could be read; empty: it is right.
/// Source: RFC 9112, sections 3.2 and 6.1.
[[nodiscard]] std::string refusal_of(const http_request& request);
/// What Go's server answers itself to a request, whatever it is about.
[[nodiscard]] std::optional<http_response> own_answer_to(const http_request& request);
/// As it is sent, to this request. A text: to have Beast write it to each stream takes as long to
/// compile as all the rest.
[[nodiscard]] std::string answer_text(http_response answer, const http_request& request,
                                      bool keep_alive);
/// The client sends its body only when it is asked to.
[[nodiscard]] bool waits_to_send_body(const http_request& request);

} // namespace pipit::net::detail
