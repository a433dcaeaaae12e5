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

} // namespace pipit::server
