// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace pipit::net {

/// Bytes that nobody can guess, from the system; for keys and nonces. Never fails: without them
/// nothing may go on.
void fill_randomly(std::span<std::uint8_t> bytes) noexcept;

/// A seed that nobody can guess, for a `random_source`. Never fails, either.
[[nodiscard]] std::uint64_t draw_seed() noexcept;

} // namespace pipit::net
