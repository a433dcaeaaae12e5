// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/jwt.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/configuration.hpp>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

/// What accounts share by their JWTs.
namespace pipit::server {

/// Puts what an account exports into its configuration.
void add_exports(const auth::account_jwt& claims, broker::account_configuration& to);

/// What others may import of the system account in any case: what is known of themselves. What its
/// JWT says of one of these services counts more.
/// Source: nats-server.
void add_system_exports(broker::account_configuration& to);

/// An account that others import from.
struct known_exporter {
    std::shared_ptr<const auth::account_jwt> claims;
    std::shared_ptr<const broker::account_configuration> config;
};
using find_exporter = std::function<known_exporter(const std::string& account)>;

/// An import that may not be, or not yet.
struct import_problem {
    std::string text;              ///< For the log.
    std::string missing_account{}; ///< The exporter, where nothing is known of it.
};

/// Puts what an account imports into its configuration, as far as the exporters allow it and are
/// known; for the others, activation tokens are verified.
[[nodiscard]] std::vector<import_problem> add_imports(const auth::account_jwt& claims,
                                                      broker::account_configuration& to,
                                                      const find_exporter& find, wall_time now);

/// The accounts that an account imports from.
[[nodiscard]] std::set<std::string> exporters_of(const auth::account_jwt& claims);

} // namespace pipit::server
