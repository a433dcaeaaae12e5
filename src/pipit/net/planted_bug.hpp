// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Bugs that a test builds into the filters on purpose, to prove that the simulation finds them.
/// Without PIPIT_PLANTED_BUGS there is nothing of this in the program.
namespace pipit::net::planted {

enum class bug {
    none,
    begins_every_mask_anew, ///< Also in the middle of a frame, where a read has cut it.
};

#ifdef PIPIT_PLANTED_BUGS
inline bug current = bug::none;
inline bool is(bug which) noexcept { return current == which; }
#else
constexpr bool is(bug) noexcept { return false; }
#endif

} // namespace pipit::net::planted
