// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <string>
#include <string_view>

/// Values as nats-server writes them, which is as Go's standard library does.
namespace pipit::server {

/// RFC 3339 in UTC with as many decimals as it takes: `2026-11-21T04:16:48.80100113Z`.
[[nodiscard]] std::string rfc3339(wall_time time);

/// Whole seconds with every lower unit: `9s`, `1h2m3s`, `1y2d3h4m5s`.
[[nodiscard]] std::string uptime_text(nanoseconds duration);

/// A Go string literal (`%q`). Characters that print stay as they are.
[[nodiscard]] std::string quoted(std::string_view text);

/// The length of the UTF-8 sequence that `text` begins with; 0 when it begins with none.
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;

} // namespace pipit::server
