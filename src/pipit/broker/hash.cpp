// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/hash.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pipit::broker {

std::uint64_t hash_bytes(bytes_view bytes, std::uint64_t seed) noexcept {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

} // namespace pipit::broker
