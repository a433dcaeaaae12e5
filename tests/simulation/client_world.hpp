// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "worlds.hpp"

namespace pipit::sim {

/// Client libraries' cores against the real broker: they request, answer, subscribe, drain and
/// flush, while connections are cut anywhere, go silent, and the server restarts. Whatever is asked
/// for is answered exactly once, a reply belongs to its request, subscriptions survive, and nothing
/// comes to one that has ended.
[[nodiscard]] complaints client_world(std::uint64_t seed);

} // namespace pipit::sim
