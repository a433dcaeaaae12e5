// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <array>
#include <cstdint>

namespace pipit::auth {

using sha256_digest = std::array<std::uint8_t, 32>;

[[nodiscard]] sha256_digest sha256(bytes_view bytes);

} // namespace pipit::auth
