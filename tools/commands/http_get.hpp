// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>

namespace pipit::cli {

namespace asio = boost::asio;

/// `http://host:port` and a path before every target.
struct http_address {
    std::string host;
    std::string port = "8222";
    std::string path;
};
/// Errors: `errc::invalid_argument`; https is not supported.
[[nodiscard]] result<http_address> parse_http_url(const std::string& url);

/// Asks for a page and answers its body. Bounded: 256 MiB, and `timeout` for all of it.
/// Errors: the system's and HTTP's; an answer that is not 200 is one, too.
[[nodiscard]] asio::awaitable<result<std::string>> http_get(http_address from, std::string target,
                                                            nanoseconds timeout);

} // namespace pipit::cli
