// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/detail/message_line.hpp>
#include <pipit/protocol/operations.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace pipit::protocol::detail {

/// What `operation_reader::read` found.
struct operation {
    enum kind : std::uint8_t {
        incomplete,
        refused,
        message,
        subscribe,
        unsubscribe,
        connect,
        info,
        ping,
        pong,
        ok,
        error,
    };

    kind what = incomplete;
    bool invalid_publish_subject = false; ///< May be set with any `what`.
    parse_status refusal = parse_status::need_more;
    bytes_view text; ///< Of CONNECT, INFO and -ERR.
    message_operation message_fields;
    subscribe_operation subscribe_fields;
    unsubscribe_operation unsubscribe_fields;
};

struct partial_operation;

/// The parser's truth: reads any form of any operation, cut anywhere, as nats-server does.
/// `visit_canonical` is only a short cut for messages and SUBs in the form that clients write.
class operation_reader {
public:
    operation_reader() noexcept;
    ~operation_reader();
    operation_reader(operation_reader&&) noexcept;
    operation_reader& operator=(operation_reader&&) noexcept;

    /// Reads at most one operation and returns how many bytes of `input` it took; with `refused`
    /// these are the bytes before the one that is wrong. The views in `found` live until
    /// `finish()`, and as long as the input.
    std::size_t read(bytes_view input, const parser_limits& limits, role reader_role,
                     operation& found);

    /// To be called when an operation that was found has been used.
    void finish() noexcept;

    [[nodiscard]] bool idle() const noexcept { return phase_ == phase::start; }
    [[nodiscard]] std::span<char> direct_space() noexcept;
    void commit_direct(std::size_t count) noexcept;

private:
    enum class phase : std::uint8_t {
        start,
        name,
        behind_name,
        blanks,
        argument,
        ignored,
        payload
    };
    class cursor;

    void begin_name(cursor& at);
    void read_name(cursor& at);
    void end_name() noexcept;
    void read_argument(cursor& at, const parser_limits& limits);
    void read_line(cursor& at, bytes_view argument, bool ends_plainly, const parser_limits& limits);
    void read_message_line(cursor& at, bytes_view argument, bool ends_plainly,
                           const parser_limits& limits);
    void begin_assembly(bytes_view argument, std::size_t body_bytes, bool canonical);
    void read_payload(cursor& at);
    [[nodiscard]] bool parse_line(bytes_view argument, message_line& line) const noexcept;
    [[nodiscard]] bool with_headers() const noexcept;

    std::unique_ptr<partial_operation> partial_; ///< Of what came in earlier calls.
    phase phase_ = phase::start;
    std::uint8_t name_index_ = 0;  ///< Into the table of names.
    std::uint8_t name_length_ = 0; ///< How much of the name has come.
    bool carriage_return_ = false; ///< Seen in the argument, behind its first byte.
    role role_ = role::server;
};

} // namespace pipit::protocol::detail
