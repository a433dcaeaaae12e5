// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/nkey.hpp>
#include <pipit/broker/configuration.hpp>

#include <memory>

namespace pipit::server {

/// What a server proves by who it is, and what is sealed for it is opened with; for its life.
struct server_keys {
    std::shared_ptr<const auth::signing_key> identity;
    std::shared_ptr<const auth::curve_key> curve;
};

/// Fresh ones. Draws from the system's randomness.
[[nodiscard]] server_keys make_server_keys();

/// A server's id and xkey, which are the public halves of its keys, and the version that it
/// reports. Draws from the system's randomness.
[[nodiscard]] broker::server_identity make_server_identity(const server_keys& keys);

} // namespace pipit::server
