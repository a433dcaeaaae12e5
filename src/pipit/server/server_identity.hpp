// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/configuration.hpp>

namespace pipit::server {

/// A new server's id and xkey: the public halves of fresh keys; and the version that it reports.
/// Draws from the system's randomness.
[[nodiscard]] broker::server_identity make_server_identity();

} // namespace pipit::server
