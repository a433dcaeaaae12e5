// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crowd.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// The worlds that are simulated. Each runs once for a seed and says what did not hold.
namespace pipit::sim {

using complaints = std::vector<std::string>;

/// A crowd that does everything at random.
[[nodiscard]] complaints crowd_world(world::settings settings, crowd::settings members);

/// Publish and flush on one loop, then somebody else publishes on another: a third sees both in
/// this order.
[[nodiscard]] complaints flush_world(std::uint64_t seed);

/// Subscribe and flush on one loop, then somebody else publishes on another, while a third loop has
/// something to tell them, too: the subscriber gets it.
[[nodiscard]] complaints subscribe_world(std::uint64_t seed);

/// Subscribe to an inbox, request, the request is relayed, the reply comes from a third loop - and
/// nobody waited for anything.
[[nodiscard]] complaints relay_world(std::uint64_t seed);

/// The responders come and go while requests are under way: each request has exactly one outcome,
/// an answer or the 503.
[[nodiscard]] complaints request_world(std::uint64_t seed);

/// Accounts that import from each other: every subscriber gets every message of an imported stream
/// once, and each request through two imports has one outcome.
[[nodiscard]] complaints import_world(std::uint64_t seed);

/// A reload brings an account, which the loops learn of one after the other; whoever is in it on a
/// loop that knows it is heard and served on all of them, as soon as they know it too.
[[nodiscard]] complaints account_world(std::uint64_t seed);

/// Logins that somebody else judges, late, in any order or never, while a reload takes one user
/// away: whoever is refused leaves no trace, whoever is let in is served from his first line on,
/// and everybody learns how it ended.
[[nodiscard]] complaints login_world(std::uint64_t seed);

} // namespace pipit::sim
