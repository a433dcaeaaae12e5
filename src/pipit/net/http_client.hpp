// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/http.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pipit::net {

/// `http://host:port/path?query`, in its parts.
struct http_url {
    std::string host; ///< Without brackets.
    std::uint16_t port = 80;
    std::string target = "/"; ///< Path and query.
};
[[nodiscard]] std::optional<http_url> parse_http_url(std::string_view text);

struct http_post_request {
    http_url to;
    std::string content_type;
    std::string body;
    nanoseconds timeout; ///< For everything: the name, the connection, the answer.
    std::size_t answer_bytes_max = 0;
};

/// Sends one request over a connection of its own, and waits for the answer.
/// Errors: the host cannot be reached, does not answer in time, or answers with something else than
///         HTTP, or with more than `answer_bytes_max`.
/// Threads: any; blocks.
[[nodiscard]] result<http_response> http_post(const http_post_request& request);

} // namespace pipit::net
