// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/configuration.hpp>
#include <pipit/server/monitoring.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace pipit::server {

/// It seems to have more connections, on all loops together, than it may have: those that are on
/// their way out count.
[[nodiscard]] bool has_excess(const broker::account_configuration& account) noexcept;

/// Of those of the accounts that have more connections, on all loops together, than they may have:
/// the numbers of those that go, the youngest. `loops` has all open sessions.
[[nodiscard]] std::vector<std::uint64_t>
excess_connections(std::span<const broker::account_configuration> accounts,
                   std::span<const loop_snapshot> loops);

} // namespace pipit::server
