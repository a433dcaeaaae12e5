// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/limits.hpp>
#include <pipit/protocol/operations.hpp>

#include <cstddef>
#include <span>

namespace pipit::protocol {

/// What a connection allows at this moment; may change between two calls.
struct parser_limits {
    std::size_t max_control_line_bytes = limits::max_control_line_bytes;
    std::int64_t max_payload_bytes = limits::max_payload_bytes; ///< Headers included; -1: no limit.
    bool headers_allowed = true; ///< HPUB from a client that did not ask for headers is refused.
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
};

struct parse_outcome {
    parse_status status;
    std::size_t consumed; ///< Bytes of the input that need not be given again.
};

/// Cuts a stream of bytes into operations. `Role` says whose input it is.
///
/// A message that lies whole in the input is handed to the visitor in place: no copy, no
/// allocation. One that does not is assembled in a block of its full size, into which the driver
/// may read directly (`direct_space`). A cut control line is kept, bounded by the limit.
/// Memory of an idle parser: two pointers' worth.
///
/// The visitor has, each returning `flow`:
///   server: on_message(const message_operation&), on_subscribe(const subscribe_operation&),
///           on_unsubscribe(const unsubscribe_operation&), on_connect(bytes_view json)
///   client: on_message(const message_operation&)
///   both:   on_info(bytes_view json), on_ping(), on_pong(), on_ok(), on_error(bytes_view text)
///
/// Source: "Client Protocol" in the NATS docs; where it is silent, nats-server v2.15.2.
template <role Role>
class parser {
public:
    parser() = default;

    template <class Visitor>
    parse_outcome parse(bytes_view input, const parser_limits& limits, Visitor& visitor);

    /// Where the missing bytes of a message under way may be read to, without a copy; empty when
    /// no message of known size is under way or little is missing.
    [[nodiscard]] std::span<char> direct_space() noexcept;

    /// Says that `count` bytes were read into `direct_space()`; call `parse` next, with whatever
    /// was read behind them (or with nothing).
    void commit_direct(std::size_t count) noexcept;

    /// Nothing is under way: the next byte begins an operation.
    [[nodiscard]] bool idle() const noexcept;
};

} // namespace pipit::protocol
