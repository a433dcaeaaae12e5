// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/configuration.hpp>
#include <pipit/server/options.hpp>

#include <string>
#include <vector>

namespace pipit::server {

/// Adds to each account, which is there by its name, what its options say of exports and imports.
/// Returns what may not be, in nats-server's words, e.g. `Error adding service import "req": import
/// forms a cycle`; empty: everything was added.
[[nodiscard]] std::vector<std::string>
link_accounts(const server_options& options, std::vector<broker::account_configuration>& accounts);

/// The same, when only what may not be is of interest.
[[nodiscard]] std::vector<std::string> problems_of_links(const server_options& options);

} // namespace pipit::server
