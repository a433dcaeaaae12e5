// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/assert.hpp>
#include <pipit/net/random_bytes.hpp>

#include <sys/random.h>

namespace pipit::net {

void fill_randomly(std::span<std::uint8_t> bytes) noexcept {
    while (!bytes.empty()) {
        const auto drawn = ::getrandom(bytes.data(), bytes.size(), 0);
        PIPIT_ASSERT(drawn >= 0);
        bytes = bytes.subspan(static_cast<std::size_t>(drawn));
    }
}

} // namespace pipit::net
