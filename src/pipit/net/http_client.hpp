// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/event_loop.hpp>
#include <pipit/net/http.hpp>
#include <pipit/net/tls_context.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pipit::net {

/// `http[s]://user:password@host:port/path?query`, in its parts.
struct http_url {
    bool is_secure = false;
    std::string user_and_password; ///< With a colon between them; empty: nobody.
    std::string host;              ///< Without brackets.
    std::uint16_t port = 80;
    std::string target = "/"; ///< Path and query.
};
/// Without a port, `http://` means `plain_port`, and `https://` 443. Nothing: it is no such URL.
[[nodiscard]] std::optional<http_url> parse_http_url(std::string_view text,
                                                     std::uint16_t plain_port = 80);

/// A GET; or a POST, if there is a body.
struct http_request {
    http_url to;
    std::string content_type; ///< Of the body.
    std::optional<std::string> body;
    nanoseconds timeout; ///< For everything: the name, the connection, the answer.
    std::size_t answer_bytes_max = 0;
    std::shared_ptr<const tls_context> tls; ///< A client's; for a secure URL.
};

using http_answered = boost::asio::any_completion_handler<void(result<http_response>)>;

/// Sends one request over a connection of its own. `done` is called by the executor, once and never
/// at once, unless its context ends before. Redirections are not followed.
/// Errors: the host cannot be reached or trusted, does not answer in time (`errc::timeout`), or
///         answers with something else than HTTP (`errc::invalid_http`), or with more than
///         `answer_bytes_max`.
void fetch_http(const boost::asio::any_io_executor& executor, http_request request,
                http_answered done);
/// The same on an event loop's thread.
void fetch_http(event_loop& loop, http_request request,
                std::function<void(result<http_response>)> done);
/// The same, but waits for the answer, or until `is_given_up` says so: it is asked again and again
/// meanwhile. Threads: any.
[[nodiscard]] result<http_response> fetch_http(http_request request,
                                               const std::function<bool()>& is_given_up = {});

} // namespace pipit::net
