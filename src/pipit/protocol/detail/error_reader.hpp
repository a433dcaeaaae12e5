// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/client_events.hpp>

namespace pipit::protocol::detail {

/// Cuts off the quotes and blanks around the text of an `-ERR`.
[[nodiscard]] bytes_view without_quotes(bytes_view text) noexcept;

/// Reads the text of an `-ERR`, in any case, as older servers write some texts differently. A
/// subscription is named when the text has its sid.
[[nodiscard]] error_received read_error(bytes_view text);

/// Whether a server keeps the connection open after that.
[[nodiscard]] bool leaves_connection_open(const error_received& what);

/// Whether a line of what was sent was longer than the server's `max_control_line`.
[[nodiscard]] bool is_about_a_line(const error_received& what);

/// A subscription's number, or nothing for any other text.
[[nodiscard]] std::optional<sid> parse_sid(bytes_view text) noexcept;

} // namespace pipit::protocol::detail
