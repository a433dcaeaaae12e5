// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/operations.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace pipit::protocol::detail {

/// The first fields of a control line; `count` goes on counting past the ones that are kept.
struct line_fields {
    std::array<bytes_view, 5> text;
    std::size_t count = 0;
};

/// Cuts a line into fields between `blanks`.
[[nodiscard]] line_fields split_fields(bytes_view line, bytes_view blanks) noexcept;

/// The arguments of PUB, HPUB, MSG or HMSG.
struct message_line {
    message_operation fields;  ///< Subject, sid, reply and the texts of the sizes.
    bytes_view behind_subject; ///< The second field and all that follows.
    std::int64_t size = 0;
    std::int64_t header_size = 0; ///< 0 without headers.

    /// Points the views of headers and payload into `body`, which is `size` bytes long.
    void place_body(const char* body) noexcept;
};

/// Returns false for a wrong number of fields, unreadable sizes or a header larger than the total.
[[nodiscard]] bool parse_message_line(bytes_view line, role reader_role, bool with_headers,
                                      message_line& out) noexcept;

/// Whether the fields are separated by single spaces and nothing stands around them.
[[nodiscard]] bool has_single_spaces(bytes_view line) noexcept;

} // namespace pipit::protocol::detail
