// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>
#include <pipit/protocol/go_text.hpp>

#include <string>
#include <string_view>

/// Values as nats-server writes them, which is as Go's standard library does.
namespace pipit::server {

using protocol::rfc3339;

/// Whole seconds with every lower unit: `9s`, `1h2m3s`, `1y2d3h4m5s`.
[[nodiscard]] std::string uptime_text(nanoseconds duration);

} // namespace pipit::server
