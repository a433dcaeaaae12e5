// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pipit::broker {

/// Numbers an account for as long as the process lives; the same name keeps its number over
/// reloads.
enum class account_id : std::uint32_t {};

} // namespace pipit::broker
