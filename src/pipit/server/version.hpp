// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace pipit::server {

/// The version of nats-server that Pipit behaves like: in INFO, `/varz` and `--version`, because
/// tools decide by it what they may ask for.
inline constexpr std::string_view nats_version = "2.15.2";

/// Pipit's own version.
[[nodiscard]] std::string_view pipit_version() noexcept;

} // namespace pipit::server
