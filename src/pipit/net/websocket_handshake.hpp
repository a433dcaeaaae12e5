// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipit::net {

/// What may stand as the name of a field, and as its value or in a start line.
[[nodiscard]] bool is_http_token(bytes_view text) noexcept;
[[nodiscard]] bool is_http_text(bytes_view text) noexcept;

/// The head of an HTTP/1.1 message.
/// Lifetime: of its views, that of the text it was read from.
struct http_head {
    bytes_view start_line;
    /// Names and values in the order they came, without the space around them.
    std::vector<std::pair<bytes_view, bytes_view>> fields;
    std::size_t bytes = 0; ///< Its length, with the empty line.

    /// The first value; nothing when there is none. Names have no case.
    [[nodiscard]] std::optional<bytes_view> value(std::string_view name) const noexcept;
    [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
    /// Whether one of the values, which are lists with commas, has this token in any case.
    [[nodiscard]] bool lists(std::string_view name, std::string_view token) const noexcept;
};

/// Reads a head; nothing when its end has not come yet.
/// Errors: `errc::invalid_http`. Strict: no line that goes on in the next one, no space before a
///         colon, no control character, no lone line feed, at most `limits::http_head_fields`.
[[nodiscard]] result<std::optional<http_head>> parse_http_head(bytes_view text);

struct http_cookie {
    std::string name;
    std::string value;
};

/// What somebody asked for who wants a WebSocket.
struct websocket_request {
    std::string path; ///< Without query; percent-encoded as it came.
    std::string host; ///< With its port, if it has one.
    std::optional<std::string> origin;
    std::string user_agent;
    std::string forwarded_for; ///< The first `X-Forwarded-For`, as it came.
    std::vector<http_cookie> cookies;
    std::string key;
    bool offers_compression = false;
    bool wants_no_masking = false; ///< `Nats-No-Masking: true`
};

/// A refusal as HTTP and for the log.
struct http_refusal {
    int status = 400;
    std::string why;
};
/// What is asked for in order and in nats-server's words.
[[nodiscard]] boost::system::result<websocket_request, http_refusal>
read_websocket_request(const http_head& head);

/// A whole answer that ends the connection.
[[nodiscard]] std::string http_refusal_text(int status);

/// What the server says yes to.
struct websocket_acceptance {
    bool compresses = false;
    bool without_masking = false;
    std::string_view extra_fields = {}; ///< Whole lines.
};
[[nodiscard]] std::string websocket_response(std::string_view key,
                                             const websocket_acceptance& accepted);

/// What a client asks for.
struct websocket_demand {
    std::string host; ///< With its port.
    std::string path; ///< Empty: `/`.
    std::string key;  ///< Sixteen random bytes in base64.
    bool offers_compression = false;
};
/// Errors: `errc::invalid_http` for a host or a path that cannot stand in a head.
[[nodiscard]] result<std::string> websocket_request_text(const websocket_demand& demand);

/// Whether the server agreed, and to what.
/// Errors: `errc::websocket_refused`, with its status line or what is wrong with its answer.
[[nodiscard]] result<websocket_acceptance> read_websocket_response(const http_head& head,
                                                                   const websocket_demand& demand);

/// What answers a key. Source: RFC 6455, 4.2.2.
[[nodiscard]] std::string websocket_accept(std::string_view key);

} // namespace pipit::net
