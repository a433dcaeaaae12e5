// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pipit::cli {

/// Reads a number of bytes: `128`, `128B`, `4k`, `64KB`, `1.5MiB`; units count by 1024, in any
/// case.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
/// Reads a whole number, in which `_` and `,` may part thousands: `100_000`.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);
/// Reads `300ms`, `1.5h`, `2m30s`; also days, `1d12h`. Not negative.
[[nodiscard]] std::optional<nanoseconds> parse_time_span(std::string_view text);

/// For people: `1.5 KiB`.
[[nodiscard]] std::string size_text(double bytes);
/// For people: `1,234,567`.
[[nodiscard]] std::string count_text(std::uint64_t count);
/// For people, three or four digits: `831ns`, `12.3µs`, `1.26ms`, `2.05s`, `3m20s`.
[[nodiscard]] std::string time_span_text(nanoseconds duration);
/// For programs: seconds with nine digits, `0.000123000`.
[[nodiscard]] std::string seconds_text(nanoseconds duration);

} // namespace pipit::cli
