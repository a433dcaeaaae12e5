// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace pipit::net {

/// Bytes that nobody can guess, from the system; for keys and nonces. Never fails: without them
/// nothing may go on.
void fill_randomly(std::span<std::uint8_t> bytes) noexcept;

} // namespace pipit::net
