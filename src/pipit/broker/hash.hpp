// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstdint>

namespace pipit::broker {

/// Hashes subjects and sids. The tables seed it from the broker's chance, so that nobody outside
/// can aim at one slot.
[[nodiscard]] std::uint64_t hash_bytes(bytes_view bytes, std::uint64_t seed) noexcept;

} // namespace pipit::broker
