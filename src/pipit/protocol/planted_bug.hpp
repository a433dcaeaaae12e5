// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Bugs that a test builds into the client's core on purpose, to prove that the simulation finds
/// them. Without PIPIT_PLANTED_BUGS there is nothing of this in the program.
namespace pipit::protocol::planted {

enum class bug {
    none,
    confuses_replies,       ///< A late reply goes to the request that has its place now.
    forgets_a_subscription, ///< One of them is not made again after a reconnect.
};

#ifdef PIPIT_PLANTED_BUGS
inline bug current = bug::none;
inline bool is(bug which) noexcept { return current == which; }
#else
constexpr bool is(bug) noexcept { return false; }
#endif

} // namespace pipit::protocol::planted
