// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/protocol/server_address.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pipit::client::detail {

/// The servers of all entries, of which each may name several with commas.
/// Errors: `protocol::errc::invalid_url`, also when there is none.
[[nodiscard]] result<std::vector<protocol::server_address>>
parse_servers(const std::vector<std::string>& entries);

/// Whether one of them is on that host, as it is written there.
[[nodiscard]] bool names_host(const std::vector<std::string>& entries, std::string_view host);

} // namespace pipit::client::detail
