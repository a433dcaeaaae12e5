// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace pipit::broker {

/// Hashes subjects and sids. The tables seed it from the broker's chance, so that nobody outside
/// can aim at one slot.
[[nodiscard]] std::uint64_t hash_bytes(bytes_view bytes, std::uint64_t seed) noexcept;

/// For maps of texts that are asked by views: with `std::equal_to<>` nothing is copied.
struct text_hash {
    using is_transparent = void;
    std::size_t operator()(bytes_view text) const noexcept { return std::hash<bytes_view>()(text); }
};

} // namespace pipit::broker
