// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/http_client.hpp>
#include <pipit/net/tls_context.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>

namespace pipit::cli {

namespace asio = boost::asio;

/// A server's monitoring port, and how it is asked.
struct monitoring_port {
    net::http_url url;     ///< Its path goes before every target.
    net::tls_settings tls; ///< Whom to trust, for a secure URL.
    nanoseconds timeout{}; ///< Of one page, in all.
};
/// `http[s]://host[:port]` or `host[:port]`; port 8222 of HTTP unless there is another one.
/// Errors: `errc::invalid_argument`.
[[nodiscard]] result<net::http_url> parse_monitoring_url(const std::string& url);

/// Asks for a page and answers its body. Bounded: 256 MiB.
/// Errors: as `net::fetch_http`; an answer that is not 200 is one, too.
[[nodiscard]] asio::awaitable<result<std::string>> http_get(monitoring_port from,
                                                            std::string target);

} // namespace pipit::cli
