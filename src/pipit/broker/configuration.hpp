// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/limits.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/account_id.hpp>
#include <pipit/broker/exports_imports.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pipit::auth {
class permissions;
}
namespace pipit::protocol {
class weighted_mapping;
}

namespace pipit::broker {

/// Limits of one account over all loops; -1: no limit.
struct account_limits {
    std::int64_t max_connections = -1;
    std::int64_t max_subscriptions = -1; ///< Of all connections of the account together.
    std::int64_t max_payload_bytes = -1;
};

/// What one account is: a world of subjects of its own.
struct account_configuration {
    account_id id{};
    std::string name;
    account_limits limits;
    /// Applied to what clients publish, in this order; the first source that matches decides.
    std::vector<std::shared_ptr<const protocol::weighted_mapping>> mappings;
    std::vector<stream_export> stream_exports;
    std::vector<service_export> service_exports;
    /// Put here by `add_import()`, which knows what may be imported.
    std::vector<std::shared_ptr<const stream_import>> stream_imports;
    std::vector<std::shared_ptr<const service_import>> service_imports;
    std::string trace_destination; ///< ADR-41: where `traceparent` traces go; empty: nowhere.
    int trace_sampling_percent = 100;
};

struct user_configuration {
    std::string name;
    std::string password; ///< Plain text or bcrypt.
    account_id account{};
    std::shared_ptr<const auth::permissions> permissions; ///< Null: everything is allowed.
    bool standard_connections_allowed = true;             ///< `allowed_connection_types`
    bool in_process_connections_allowed = true;
};

/// Who may connect. At most one of the three ways is configured.
struct authorization {
    std::string token;                               ///< Plain text or bcrypt; empty: none.
    std::optional<user_configuration> single_user;   ///< `user` and `password` without `users`.
    std::map<std::string, user_configuration> users; ///< By name; of all accounts.
    std::string no_auth_user;                        ///< Empty: none.
    bool greeting_asks_for_nothing = false; ///< INFO hides from newcomers that others log in.

    [[nodiscard]] bool required() const noexcept {
        return !token.empty() || single_user.has_value() || !users.empty();
    }
};

/// What stands in INFO besides what belongs to one connection.
struct server_identity {
    std::string id;   ///< An nkey, `N…`.
    std::string name; ///< Equal to `id` when none was configured.
    std::string xkey; ///< `X…`
    std::string version;
    std::string host;                      ///< As configured, or from `client_advertise`.
    std::uint16_t port = 0;                ///< The real one.
    std::vector<std::string> connect_urls; ///< `host:port`; usually empty on one machine.
};

/// Everything that brokers are told by their server. Immutable: a reload makes a new one.
/// Source: server-config, "Top-level keys"; the names are the configuration's.
struct configuration {
    server_identity identity;
    broker::authorization authorization;
    std::vector<account_configuration> accounts; ///< `$G` and the system account are among them.
    account_id global_account{};
    std::optional<account_id> system_account;

    std::size_t max_control_line_bytes = limits::max_control_line_bytes;
    std::int64_t max_payload_bytes = limits::max_payload_bytes;
    std::size_t max_pending_bytes = limits::max_pending_bytes;
    std::int64_t max_connections = limits::max_connections; ///< -1: none may connect (a file's 0).
    std::int64_t max_subscriptions = 0;                     ///< Per connection; 0: no limit.
    int max_subscription_tokens = 0;                        ///< 0: no limit.
    std::size_t max_closed_clients = limits::max_closed_clients;
    int max_traced_message_bytes = 0; ///< 0: whole.

    nanoseconds ping_interval = limits::ping_interval;
    int ping_max = limits::ping_max;
    nanoseconds write_deadline = limits::write_deadline;
    nanoseconds auth_timeout = limits::auth_timeout;

    bool headers_supported = true;
    bool always_send_nonce = false;
    bool stall_fast_producers = true;
    bool retries_slow_writes = false; ///< At the write deadline, if some bytes went.
    bool caches_matches = true;
    bool trace_protocol = false;
    bool trace_headers_only = false;
};

} // namespace pipit::broker
