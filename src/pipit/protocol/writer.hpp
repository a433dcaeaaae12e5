// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstdint>
#include <string>

/// Appends operations to a buffer of the caller, who has checked subjects and sizes. INFO and
/// CONNECT are in info.hpp and connect.hpp.
/// Source: client-protocol, sections 3 and 4.
namespace pipit::protocol {

/// A message to publish. `headers` is a whole header block or empty.
struct publication {
    bytes_view subject = {};
    bytes_view reply = {};
    bytes_view headers = {};
    bytes_view payload = {};
};

/// A message to a subscription.
struct delivery {
    bytes_view subject;
    bytes_view sid;
    bytes_view reply;
    bytes_view headers;
    bytes_view payload;
};

/// PUB, or HPUB when there are headers.
void append_publication(std::string& out, const publication& message);
/// MSG, or HMSG when there are headers.
void append_delivery(std::string& out, const delivery& message);
/// How many bytes `append_publication` will append.
[[nodiscard]] std::size_t written_size(const publication& message) noexcept;

/// With `queue` empty: a plain subscription.
void append_subscribe(std::string& out, bytes_view subject, bytes_view queue, bytes_view sid);
/// With `max` 0: at once.
void append_unsubscribe(std::string& out, bytes_view sid, std::uint64_t max = 0);
void append_ping(std::string& out);
void append_pong(std::string& out);
void append_ok(std::string& out);
/// ``-ERR '<text>'``
void append_error(std::string& out, bytes_view text);

/// What a server tells a requester whose request nobody received: an HMSG with status 503.
void append_no_responders(std::string& out, bytes_view reply, bytes_view sid, bytes_view subject);

} // namespace pipit::protocol
