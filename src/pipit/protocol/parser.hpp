// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/detail/canonical.hpp>
#include <pipit/protocol/detail/operation_reader.hpp>
#include <pipit/protocol/operations.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace pipit::protocol {

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
/// and may have, returning nothing:
///   server: on_invalid_publish_subject(), called under `parser_limits::pedantic` when the line of
///           a message is read whose subject is no valid literal; the message comes all the same.
///
/// The visitor may change the limits; what follows in the input obeys the new ones. It must not
/// destroy the parser. The same bytes give the same operations wherever they are cut: an operation
/// is refused by the byte that makes it wrong, without waiting for the end of its line.
///
/// Where nats-server keeps no promise about a line that came in several reads (it loses bytes
/// around a CR that does not end the line), every line is treated as one that came in one read.
///
/// Source: "Client Protocol" in the NATS docs; where it is silent, nats-server v2.15.2.
template <role Role>
class parser {
public:
    parser() = default;

    template <class Visitor>
    parse_outcome parse(bytes_view input, const parser_limits& limits, Visitor& visitor) {
        const char* at = input.data();
        const char* const end = at + input.size();
        const auto outcome = [&](parse_status status) {
            return parse_outcome{status, static_cast<std::size_t>(at - input.data())};
        };
        if (!reader_.idle()) {
            if (const auto ended = read_any(at, end, limits, visitor)) return outcome(*ended);
        }
        std::ptrdiff_t length = 0;
        while (at != end) {
            auto next = flow::proceed;
            if (const char* behind =
                    detail::visit_canonical<Role>(at, end, limits, visitor, next)) {
                at = detail::advance(at, behind, length);
                if (next == flow::pause) return outcome(parse_status::paused);
            } else if (const auto ended = read_any(at, end, limits, visitor)) {
                return outcome(*ended);
            }
        }
        return outcome(parse_status::need_more);
    }

    /// Where the missing bytes of a message under way may be read to, without a copy; empty when
    /// no message of known size is under way or little is missing.
    [[nodiscard]] std::span<char> direct_space() noexcept { return reader_.direct_space(); }

    /// Says that `count` bytes were read into `direct_space()`; call `parse` next, with whatever
    /// was read behind them (or with nothing).
    void commit_direct(std::size_t count) noexcept { reader_.commit_direct(count); }

    /// Nothing is under way: the next byte begins an operation.
    [[nodiscard]] bool idle() const noexcept { return reader_.idle(); }

private:
    /// One operation in any form, or what there is of it; moves `at` behind what was taken.
    /// Returns how the parse ends, if it does.
    template <class Visitor>
    std::optional<parse_status> read_any(const char*& at, const char* end,
                                         const parser_limits& limits, Visitor& visitor) {
        detail::operation found;
        at += reader_.read({at, end}, limits, Role, found);
        if constexpr (requires { visitor.on_invalid_publish_subject(); }) {
            if (found.invalid_publish_subject) visitor.on_invalid_publish_subject();
        }
        if (found.what == detail::operation::incomplete) return std::nullopt;
        if (found.what == detail::operation::refused) return found.refusal;
        const auto next = visit(found, visitor);
        reader_.finish();
        return next == flow::pause ? std::optional(parse_status::paused) : std::nullopt;
    }

    template <class Visitor>
    static flow visit(const detail::operation& found, Visitor& visitor) {
        using enum detail::operation::kind;
        switch (found.what) {
        case message: return visitor.on_message(found.message_fields);
        case info: return visitor.on_info(found.text);
        case ping: return visitor.on_ping();
        case pong: return visitor.on_pong();
        case ok: return visitor.on_ok();
        case error: return visitor.on_error(found.text);
        default: break;
        }
        if constexpr (Role == role::server) {
            if (found.what == subscribe) return visitor.on_subscribe(found.subscribe_fields);
            if (found.what == unsubscribe) return visitor.on_unsubscribe(found.unsubscribe_fields);
            if (found.what == connect) return visitor.on_connect(found.text);
        }
        return flow::proceed;
    }

    detail::operation_reader reader_;
};

} // namespace pipit::protocol
