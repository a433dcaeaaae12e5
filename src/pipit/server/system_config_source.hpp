// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/server/config_language.hpp>

namespace pipit::server {

/// The files and the environment of this process.
[[nodiscard]] config_source system_config_source();

} // namespace pipit::server
