// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// Bounds of what the end of a connection costs others.
namespace pipit::limits {

/// So many subscriptions of a connection that has ended are taken out of a loop's index at a time,
/// less than a millisecond; then the loop's other connections have their turn.
inline constexpr std::size_t subscriptions_ended_at_a_time = 1024;

/// No more than that wait for it on a loop, some 300 MB of them: who ends connections faster than
/// their subscriptions can be taken out waits for those that came before.
inline constexpr std::size_t subscriptions_leaving = 2'000'000;

} // namespace pipit::limits
