// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/broker/broker.hpp>
#include <pipit/broker/subject_index.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pipit::broker {

class session;

/// What one account asks of another: an import, and the service that it reaches.
struct service_route {
    std::shared_ptr<const service_import> import;
    std::shared_ptr<const service_export> service; ///< Null: none that says more.
};

/// One account's part on this loop: its index and its counters.
struct account {
    account(account_id its_id, const account_configuration& its_config, std::uint64_t hash_seed)
        : config(&its_config), id(its_id), index(hash_seed) {}

    /// Follows every reload; lives as long as the broker's configuration.
    const account_configuration* config;
    account_id id;
    /// Over all loops. Null: this loop only knows the interest of others in it, not the account.
    std::shared_ptr<account_counters> shared;
    subject_index index;

    std::vector<session*> sessions; ///< Who is in it, in no order; `session::place` says where.
    std::uint64_t total_connections = 0;
    std::uint64_t subscriptions = 0;
    std::uint64_t slow_consumers = 0;
    traffic sent;
    traffic received;

    std::vector<service_route> services; ///< What it imports; in the index under this loop's bit.
    std::vector<account_id> exporters;   ///< Of the services that it imports, each once.
    /// `_R_.xxxxxx.>`: where answers to this loop's requests come; empty before the first.
    std::string answers_subject;
    bool imports_changed = false; ///< By a new configuration: aliases are to be made anew.

    std::uint64_t inserts = 0;
    std::uint64_t removes = 0;
};

} // namespace pipit::broker
