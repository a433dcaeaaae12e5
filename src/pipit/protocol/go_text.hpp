// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/time.hpp>

#include <optional>
#include <string>

/// Text as Go's standard library writes it, byte for byte: clients compare errors, tools read logs
/// and monitoring, and all of these are nats-server's.
namespace pipit::protocol {

/// Appends `text` between double quotes, with what cannot be printed escaped as Go's `%q` does:
/// `\n`, `\"`, `\x00`, and `\x` for each byte that is not UTF-8.
void append_quoted(std::string& out, bytes_view text);
[[nodiscard]] std::string quoted(bytes_view text);

/// Appends a JSON string with its quotes and the escapes of Go's `encoding/json`: `<`, `>`, `&`,
/// U+2028 and U+2029 become `\u` escapes, what is not UTF-8 becomes `\ufffd`.
void append_json_string(std::string& out, bytes_view text);

/// RFC 3339 in UTC with as many decimals as it takes, as `time.Time` in JSON:
/// `2026-11-21T04:16:48.80100113Z`. One that nobody has set is `0001-01-01T00:00:00Z`.
[[nodiscard]] std::string rfc3339(std::optional<wall_time> time);
/// The same of a time that may be farther away than nanoseconds reach.
[[nodiscard]] std::string rfc3339(std::chrono::sys_seconds time);

} // namespace pipit::protocol
