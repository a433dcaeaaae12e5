// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/assert.hpp>
#include <pipit/net/random_bytes.hpp>

#include <array>
#include <bit>
#include <cerrno>
#include <sys/random.h>

namespace pipit::net {

void fill_randomly(std::span<std::uint8_t> bytes) noexcept {
    while (!bytes.empty()) {
        const auto drawn = ::getrandom(bytes.data(), bytes.size(), 0);
        if (drawn < 0 && errno == EINTR) continue; // A signal, early after the machine's start.
        PIPIT_ASSERT(drawn >= 0);
        bytes = bytes.subspan(static_cast<std::size_t>(drawn));
    }
}

std::uint64_t draw_seed() noexcept {
    std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
    fill_randomly(bytes);
    return std::bit_cast<std::uint64_t>(bytes);
}

} // namespace pipit::net
