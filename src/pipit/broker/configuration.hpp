// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/closing_limits.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/account_id.hpp>
#include <pipit/broker/exports_imports.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pipit::auth {
class nonce_maker;
class permissions;
} // namespace pipit::auth
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

/// What a JWT says of an account beside what is obeyed; for people.
struct account_claims {
    std::string jwt;
    std::string issuer; ///< `O…`: the operator's key or one of its signing keys.
    std::string name;
    std::vector<std::string> tags;
    std::map<std::string, std::int64_t> revocations; ///< Of users, in seconds since 1970.
    wall_time updated{};
};

/// What all loops count of one account together.
struct account_counters {
    std::atomic<std::int64_t> connections{0};
};

/// What one account is: a world of subjects of its own.
struct account_configuration {
    account_id id{};
    std::string name;
    /// The same in each of its configurations, of which loops may obey different ones.
    std::shared_ptr<account_counters> counters = std::make_shared<account_counters>();
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
    std::optional<wall_time> expires = std::nullopt; ///< Of its JWT; then its connections end.
    std::shared_ptr<const account_claims> claims = nullptr; ///< Null: not from a JWT.
};

/// What people call an account: its name, or what its JWT calls it.
[[nodiscard]] inline std::string_view account_tag(const account_configuration& account) noexcept {
    const auto& claims = account.claims;
    return claims == nullptr || claims->name.empty() ? account.name : claims->name;
}

/// What a JWT says of a user beside what is obeyed; for people, and for revocations.
struct user_claims {
    std::string jwt;
    std::string subject; ///< `U…`
    std::string issuer;  ///< `A…`: the account's key or one of its signing keys.
    std::string name;
    std::vector<std::string> tags;
    std::int64_t issued_at = 0; ///< Seconds since 1970.
    std::int64_t expires = 0;   ///< The same; 0: never.
    bool is_bearer = false;
    bool by_signing_key = false;          ///< `issuer` is not the account itself.
    bool has_default_permissions = false; ///< The account's, as it says nothing of its own.
};

/// Who somebody is, wherever that is written: in the configuration, in a JWT, in an answer of
/// somebody who was asked.
struct user_configuration {
    std::string name;     ///< What people see; of a user with an nkey, its public key.
    std::string password; ///< Plain text or bcrypt.
    account_id account{};
    std::shared_ptr<const auth::permissions> permissions; ///< Null: everything is allowed.
    bool standard_connections_allowed = true;             ///< `allowed_connection_types`
    bool websocket_connections_allowed = true;
    bool in_process_connections_allowed = true;
    /// Some listener finds it by its certificate: an empty password does not let it in then.
    bool is_certificate_identity = false;
    std::string nkey = {}; ///< `U…`; its holder signs the nonce. Empty: a password is enough.
    std::int64_t max_subscriptions = -1; ///< -1: no limit but the account's and the server's.
    std::int64_t max_payload_bytes = -1;
    bool proxy_required = false;                         ///< It may come by a trusted proxy only.
    std::optional<wall_time> expires = std::nullopt;     ///< Then the connection ends.
    std::shared_ptr<const user_claims> claims = nullptr; ///< Null: not from a JWT.
    /// Instead: of a JWT that a service brought. Nobody is shown it; its account may revoke it.
    std::shared_ptr<const user_claims> vouched = nullptr;
};

/// A service that is asked who may come in (ADR-26), and who need not be asked about.
struct callout_configuration {
    account_id account{}; ///< Where it is asked, and its name.
    std::string account_name;
    std::set<std::string, std::less<>> users; ///< Names and public keys: they log in as configured.
    std::set<account_id> accounts;            ///< Whose users are asked about; empty: of all.
    std::string issuer;                       ///< `A…`: who signs its answers.
    /// Where users have JWTs: other keys of the account, and accounts into which it lets users in
    /// beside its own (`*`: all).
    std::set<std::string, std::less<>> signing_keys;
    std::set<std::string, std::less<>> allowed_accounts;
    bool by_jwt = false;
    std::string xkey; ///< `X…`: what it is asked is sealed for it; empty: open.
    std::string url;  ///< It is asked by HTTP there, and not in an account.
    nanoseconds url_timeout{};

    friend bool operator==(const callout_configuration&, const callout_configuration&) = default;
};

/// Who may connect. At most one of the ways is configured; users with and without nkey are one.
struct authorization {
    std::string token;                               ///< Plain text or bcrypt; empty: none.
    std::optional<user_configuration> single_user;   ///< `user` and `password` without `users`.
    std::map<std::string, user_configuration> users; ///< By name; of all accounts.
    std::map<std::string, user_configuration> nkeys; ///< By public key; of all accounts.
    bool by_jwt = false; ///< An operator is trusted: users bring JWTs, which the server judges.
    std::string no_auth_user;               ///< A name or a public key. Empty: none.
    bool proxy_required = false;            ///< Of the holders of `token` and of `single_user`.
    bool maps_certificates = false;         ///< `verify_and_map`: users are found by certificate.
    bool greeting_asks_for_nothing = false; ///< INFO hides from newcomers that others log in.
    std::shared_ptr<const callout_configuration> callout; ///< Null: nobody is asked.

    [[nodiscard]] bool required() const noexcept {
        return callout != nullptr || by_jwt || !token.empty() || single_user.has_value() ||
               !users.empty() || !nkeys.empty();
    }
    /// Somebody may have to sign.
    [[nodiscard]] bool needs_nonce() const noexcept { return by_jwt || !nkeys.empty(); }
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
    /// What nonces are made with; as random as keys are. Nobody is ever shown it.
    std::shared_ptr<const auth::nonce_maker> nonces = nullptr;
};

/// What is different for those who come through a WebSocket.
struct websocket_configuration {
    std::string host;
    std::uint16_t port = 0; ///< The real one.
    bool over_tls = false;
    std::vector<std::string> pinned_keys; ///< As the clients'; of this listener alone.
    std::optional<broker::authorization> authorization; ///< Nothing: everybody's.
    nanoseconds ping_interval{};                        ///< Zero: everybody's; so for the next.
    nanoseconds auth_timeout{};
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

    // What INFO says of TLS to those who come by a socket.
    bool tls_required = false;
    bool tls_available = false;
    bool tls_verify = false;
    /// SHA-256 of the clients' keys that may connect, in hex and in order; empty: all.
    std::vector<std::string> pinned_keys;

    bool headers_supported = true;
    bool always_send_nonce = false;
    /// Public keys of proxies whose word is believed; null: of none.
    std::shared_ptr<const std::vector<std::string>> trusted_proxies = nullptr;
    bool stall_fast_producers = true;
    bool retries_slow_writes = false; ///< At the write deadline, if some bytes went.
    bool caches_matches = true;
    /// What a session may do changes while it is open: its role, its JWT, a service's answer.
    bool live_permissions = false;
    bool trace_protocol = false;
    bool trace_headers_only = false;
    std::size_t subscriptions_ended_at_a_time = limits::subscriptions_ended_at_a_time;
    std::size_t batch_output_bytes = limits::batch_output_bytes;

    websocket_configuration websocket;

    [[nodiscard]] const broker::authorization& authorization_for(bool is_websocket) const noexcept {
        return is_websocket && websocket.authorization ? *websocket.authorization : authorization;
    }
    [[nodiscard]] nanoseconds ping_interval_for(bool is_websocket) const noexcept {
        const bool is_own = is_websocket && websocket.ping_interval > nanoseconds::zero();
        return is_own ? websocket.ping_interval : ping_interval;
    }
    [[nodiscard]] nanoseconds auth_timeout_for(bool is_websocket) const noexcept {
        const bool is_own = is_websocket && websocket.auth_timeout > nanoseconds::zero();
        return is_own ? websocket.auth_timeout : auth_timeout;
    }
};

} // namespace pipit::broker
