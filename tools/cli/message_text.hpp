// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/time.hpp>
#include <pipit/protocol/headers.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipit::cli {

/// What is shown of a message. Lifetime of the views: that of the message.
struct shown_message {
    bytes_view subject;
    bytes_view reply;
    protocol::headers headers;
    bytes_view payload;
};

/// `[#3] @ 12:00 Received on "a.b" with reply "r"`; `when` may be empty.
[[nodiscard]] std::string received_line(std::uint64_t number, const shown_message& message,
                                        std::string_view when, bool coloured);
/// `Name: value` lines, and `status 503 No Responders`.
[[nodiscard]] std::string header_lines(const protocol::headers& headers);

/// One line of JSON: number, time, subject, reply, headers, status, and `payload`, or where that is
/// no UTF-8 `payload_base64`. What is empty is left out, but for subject and payload.
[[nodiscard]] std::string message_line(std::uint64_t number, wall_time when,
                                       const shown_message& message);
/// As the `nats` tool dumps one: `{"Subject":…,"Reply":…,"Header":…,"Data":"<base64>","Sub":null}`.
[[nodiscard]] std::string dumped_message(const shown_message& message);

/// Reads `Name: value` or `Name:value`.
[[nodiscard]] std::optional<std::pair<std::string, std::string>>
parse_header(std::string_view text);

/// For a terminal: control characters but tab and line end, and what is no UTF-8, become `\x1b`.
[[nodiscard]] std::string safe_for_terminal(bytes_view text);

/// `2024-02-29T23:04:05.123456Z`.
[[nodiscard]] std::string utc_text(wall_time when);

} // namespace pipit::cli
