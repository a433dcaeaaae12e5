// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/server/config_value.hpp>

#include <string>

namespace pipit::server {

/// `sha256:<64 hex digits>` of what a configuration says, the same that nats-server shows in
/// `/varz`, in its log and for `-t`: comments, layout and the order of keys do not matter.
[[nodiscard]] std::string config_digest(const config_map& map);

/// What is hashed: JSON without spaces, keys in the order of their bytes, and a line feed. Not by
/// `json_writer`: its numbers are not Go's but JavaScript's, and maps nest deeper than that goes.
[[nodiscard]] std::string canonical_json(const config_map& map);

} // namespace pipit::server
