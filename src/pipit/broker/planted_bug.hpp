// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Bugs that a test builds into the broker on purpose, one for each invariant, to prove that the
/// simulation finds them. Without PIPIT_PLANTED_BUGS there is nothing of this in the program.
namespace pipit::broker::planted {

enum class bug {
    none,
    keeps_stale_matches,     ///< A literal subscription does not drop its subject's cached result.
    delivers_to_two_members, ///< A queue group's message goes to a peer and to a member here.
    shows_effects_too_early, ///< Parses what was read before it takes what the peers sent.
    takes_batches_backwards, ///< The newest batch of the peers comes first.
    stops_at_hidden_batches, ///< What stands behind one that is not visible yet has to wait for it.
    forgets_to_withdraw,     ///< The end of the last subscription is not told to the peers.
    drops_early_interest,    ///< What a peer says of an account that is not known yet is forgotten.
    keeps_answered_requests, ///< The one answer to an imported request does not end it.
    drops_returned_messages, ///< A group's message that comes back is forgotten.
    drops_held_input,        ///< What came behind a CONNECT that is being checked is forgotten.
    believes_old_answers,    ///< A login that was checked before a reload is good after it.
};

#ifdef PIPIT_PLANTED_BUGS
inline bug current = bug::none;
inline bool is(bug which) noexcept { return current == which; }
#else
constexpr bool is(bug) noexcept { return false; }
#endif

} // namespace pipit::broker::planted
