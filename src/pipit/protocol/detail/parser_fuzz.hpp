// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/detail/recorded_operations.hpp>

#include <cstdint>
#include <cstdlib>
#include <vector>

namespace pipit::protocol::detail {

/// The first bytes choose limits and cuts, the rest is the wire; it must give the same operations
/// whole, cut, byte by byte, and read directly.
template <role Role>
void compare_cuts(bytes_view input) {
    if (input.size() < 4) return;
    const auto choice = [&](std::size_t i) { return static_cast<unsigned char>(input[i]); };
    const parser_limits limits{
        .max_control_line_bytes = (choice(0) & 1) != 0 ? 40u : 4096u,
        .max_payload_bytes = (choice(0) & 2) != 0 ? 20 : 100000,
        .headers_allowed = (choice(0) & 4) == 0,
        .connect_required = (choice(0) & 8) != 0,
        .pedantic = (choice(0) & 16) != 0,
    };
    const bool use_direct_space = (choice(0) & 32) != 0;
    const auto step = std::size_t{1} + choice(1);
    const auto wire = input.substr(4);
    const auto cut = wire.empty() ? 0 : (choice(2) * 256u + choice(3)) % wire.size();

    const auto whole = events_of<Role>({wire}, limits);
    std::vector<bytes_view> pieces;
    for (std::size_t i = 0; i < wire.size(); i += step) pieces.push_back(wire.substr(i, step));
    if (events_of<Role>(pieces, limits, use_direct_space) != whole) std::abort();
    if (events_of<Role>({wire.substr(0, cut), wire.substr(cut)}, limits, use_direct_space) !=
        whole) {
        std::abort();
    }
}

} // namespace pipit::protocol::detail
