// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/broker.hpp>
#include <pipit/broker/configuration.hpp>

namespace pipit::broker {

/// The client's key is among those that are pinned, or there are none.
[[nodiscard]] bool is_pinned(const configuration& config, const session_origin& origin);

} // namespace pipit::broker
