// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pipit::net {

/// How many forks lie between this process and its first ancestor that asked. What was made before
/// the last of them belongs to the parent: its threads are not here, and its sockets are shared.
[[nodiscard]] std::uint32_t fork_count() noexcept;

} // namespace pipit::net
