// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace pipit::server {

/// Reads a duration as configurations write it: `300ms`, `1.5h`, `-1h45m`, `0`; units are ns, us,
/// ms, s, m and h. Nothing when it is not one, or is longer than 292 years.
[[nodiscard]] std::optional<nanoseconds> parse_duration(std::string_view text);

/// Writes a duration as NATS' logs and monitoring show it: `2m0s`, `1.5s`, `100ms`, `0s`.
[[nodiscard]] std::string duration_text(nanoseconds duration);

} // namespace pipit::server
