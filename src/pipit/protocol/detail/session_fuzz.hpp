// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/time.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace pipit::protocol::detail {

/// Hands `wire` to a session in pieces of `step` bytes; `drain` is called after each.
template <class Session, class Drain>
void feed(Session& session, bytes_view wire, std::size_t step, const Drain& drain) {
    while (!wire.empty()) {
        const auto space = session.prepare();
        const auto count = std::min({space.size(), wire.size(), step});
        if (count == 0) return; // Nobody reads any more.
        std::memcpy(space.data(), wire.data(), count);
        session.commit(count, steady_time());
        wire.remove_prefix(count);
        drain();
    }
}

/// The first byte says how the rest is cut; what `transcript_of(wire, step)` tells must be the same
/// as for the whole.
template <class Transcript>
void compare_steps(const std::uint8_t* data, std::size_t size, const Transcript& transcript_of) {
    if (size == 0) return;
    const bytes_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::string whole = transcript_of(wire, std::size_t{1} << 20);
    if (transcript_of(wire, std::size_t{1} + data[0]) != whole) std::abort();
}

} // namespace pipit::protocol::detail
