// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/version.hpp>

namespace pipit::server {

std::string_view pipit_version() noexcept { return PIPIT_VERSION; }

} // namespace pipit::server
