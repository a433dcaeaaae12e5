// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/block.hpp>
#include <pipit/base/bytes.hpp>
#include <pipit/base/limits.hpp>

#include <cstddef>
#include <cstdint>

namespace pipit::protocol {

/// Whose input is parsed: a server reads PUB, HPUB, SUB, UNSUB and CONNECT; a client reads MSG and
/// HMSG. Both read INFO, PING, PONG, +OK and -ERR.
enum class role { server, client };

/// A message on the wire: PUB or HPUB for a server, MSG or HMSG for a client.
/// Lifetime: all views end with the visitor's call; `whole`, when set, may be kept.
struct message_operation {
    bytes_view subject;
    bytes_view sid;   ///< MSG and HMSG only.
    bytes_view reply; ///< Empty when there is none.

    /// The header block with its closing blank line, unchecked; empty without headers. An HPUB may
    /// say that its header has 0 bytes: `has_headers` is true only for one that has some.
    bytes_view headers;
    bytes_view payload;
    bool has_headers = false;

    /// The digits of the total size as they came (leading zeros are kept on delivery, as
    /// nats-server does).
    bytes_view size_text;
    bytes_view header_size_text; ///< The same of the header's size; empty without headers.

    /// Everything behind `subject` and its blanks, up to and with the CRLF that ends the payload,
    /// when the line came in the canonical form (single blanks, CRLF, no header size of 0; more
    /// blanks behind the subject do not matter): what follows `MSG <subject> <sid> ` in a
    /// delivery, byte for byte. Empty otherwise.
    bytes_view tail;

    /// The counted block that all the views point into, for a message that did not lie whole in
    /// the bytes handed to the parser; null otherwise.
    const block_pointer* whole = nullptr;
};

/// `SUB <subject> [queue] <sid>`. The subject is not validated by the parser.
struct subscribe_operation {
    bytes_view subject;
    bytes_view queue; ///< Empty when there is none.
    bytes_view sid;
};

/// `UNSUB <sid> [max]`. 0 ends the subscription at once; so does a negative or unreadable number.
struct unsubscribe_operation {
    bytes_view sid;
    std::int64_t max = 0;
};

/// What a connection allows at this moment; may change between two operations.
struct parser_limits {
    std::size_t max_control_line_bytes = limits::max_control_line_bytes;
    std::int64_t max_payload_bytes = limits::max_payload_bytes; ///< Headers included; -1: no limit.
    bool headers_allowed = true; ///< HPUB from a client that did not ask for headers is refused.

    /// The client has to authenticate: an operation other than CONNECT is refused at its first
    /// byte, which is not consumed (a driver with a `no_auth_user` may allow it and go on).
    bool connect_required = false;
    bool pedantic = false; ///< Look at the subjects of PUB and HPUB, see `parser`.
};

/// How a call of `parser::parse` ended. All but the first two end the connection.
enum class parse_status {
    need_more,             ///< Everything was taken; an operation may be under way.
    paused,                ///< The visitor said `flow::pause`; `consumed` says how far it came.
    unknown_operation,     ///< `-ERR 'Unknown Protocol Operation'`
    control_line_too_long, ///< `-ERR 'maximum control line exceeded'`
    payload_too_large,     ///< `-ERR 'Maximum Payload Violation'`
    headers_not_allowed,   ///< Closed without an error line.
    invalid_arguments,     ///< Closed without an error line.
    connect_expected,      ///< `-ERR 'Authorization Violation'`, see `connect_required`.
};

/// What a visitor answers: `pause` ends the parser's call behind this operation.
enum class flow { proceed, pause };

} // namespace pipit::protocol
