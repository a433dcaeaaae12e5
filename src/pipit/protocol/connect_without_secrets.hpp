// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <string>

namespace pipit::protocol {

/// The JSON of a CONNECT as it came, with `"[REDACTED]"` for the values of all keys that hold or
/// may hold a secret, for a log. Only for what `read_connect` could read.
[[nodiscard]] std::string connect_without_secrets(bytes_view json);

} // namespace pipit::protocol
