// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/auth/permissions.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/exports_imports.hpp>
#include <pipit/protocol/weighted_mapping.hpp>
#include <pipit/server/tls_options.hpp>
#include <pipit/server/websocket_options.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::server {

/// Any free port; the real one is known when the listener is bound.
inline constexpr int random_port = -1;

/// What happens to a connection that does not take its messages in time.
enum class write_timeout_policy { by_default, close, retry };

struct user_options {
    std::string name;
    std::string password; ///< Plain text or bcrypt.
    std::string nkey;     ///< `U…`, which is the name then, too. Empty: a user with a password.
    std::string account;  ///< Empty: `$G`.
    /// The user's own, else the default ones of its block; absent: everything is allowed.
    std::optional<auth::permission_lists> permissions;
    bool standard_connections_allowed = true;
    bool websocket_connections_allowed = true;
    bool in_process_connections_allowed = true;
    bool proxy_required = false; ///< It may come by a trusted proxy only.
    bool leafnode_connections_allowed = true;
    bool leafnode_websocket_connections_allowed = true;
    bool mqtt_connections_allowed = true;
    bool mqtt_websocket_connections_allowed = true;
    friend bool operator==(const user_options&, const user_options&) = default;
};

/// Who decides about logins, and about whose; see `broker::callout_configuration`.
struct auth_callout_options {
    std::string issuer;
    std::string account; ///< Empty: `$G`.
    std::vector<std::string> auth_users;
    std::vector<std::string> allowed_accounts;
    std::string xkey;
    std::string url; ///< Ours: it is asked by HTTP.
    nanoseconds url_timeout = std::chrono::seconds(1);
    friend bool operator==(const auth_callout_options&, const auth_callout_options&) = default;
};

struct mapping_options {
    std::string source;
    std::vector<protocol::mapping_destination> destinations;
    friend bool operator==(const mapping_options&, const mapping_options&) = default;
};

struct export_options {
    bool is_service = false; ///< Else a stream.
    std::string subject;
    std::vector<std::string> accounts;   ///< Who may import it; empty: everybody.
    unsigned account_token_position = 0; ///< 0: none.
    broker::response_type response = broker::response_type::singleton;
    nanoseconds response_threshold{}; ///< 0: the default.
    std::optional<broker::service_latency> latency;
    bool allow_trace = false;
    friend bool operator==(const export_options&, const export_options&) = default;
};

struct import_options {
    bool is_service = false; ///< Else a stream.
    std::string account;
    std::string subject;       ///< As the exporter knows it.
    std::string local_subject; ///< `to`
    std::string prefix;        ///< Of a stream, in the place of `to`.
    bool share = false;
    bool allow_trace = false;
    friend bool operator==(const import_options&, const import_options&) = default;
};

struct account_options {
    std::string name;
    std::string nkey; ///< `A…`; checked, and compared by a reload; nothing else asks.
    std::int64_t max_connections = -1; ///< -1: no limit; so for all of them.
    std::int64_t max_subscriptions = -1;
    std::int64_t max_payload = -1;
    std::int64_t max_leafnodes = -1;
    std::vector<mapping_options> mappings;
    std::vector<export_options> exports;
    std::vector<import_options> imports;
    std::string trace_destination; ///< ADR-41; empty: no traces.
    int trace_sampling = 100;      ///< Percent.
    friend bool operator==(const account_options&, const account_options&) = default;
};

enum class resolver_kind { none, memory, url, full, cache };

/// Where the JWTs of accounts are found; members have the names of their keys.
struct resolver_options {
    resolver_kind kind = resolver_kind::none;
    std::string url; ///< Ends with a slash.
    std::string dir;
    bool allow_delete = false;
    bool hard_delete = false;
    std::int64_t limit = 0; ///< Accounts; 0: no limit (a cache: 1000).
    nanoseconds ttl{};      ///< 0: until its JWT expires.
    nanoseconds interval{}; ///< Between two comparisons with other servers; 0: the default.
    nanoseconds timeout{};  ///< 0: the default.
    net::tls_settings tls{.verifies_peer = true}; ///< For a secure URL.
    friend bool operator==(const resolver_options&, const resolver_options&) = default;
};

enum class listener_kind { cluster, gateway, leafnodes, mqtt, profile };

/// A listener that a configuration asks for and this version does not serve. It is bound all the
/// same, stands in the ports file, and closes whoever connects with a clear text.
struct reserved_listener {
    listener_kind kind{};
    std::string host; ///< Empty: the clients' host.
    int port = 0;
    bool maps_certificates = false; ///< It would find users by their certificates.
    friend bool operator==(const reserved_listener&, const reserved_listener&) = default;
};

/// Everything that an operator can say to a server, with nats-server's defaults.
///
/// A zero in a configuration or on the command line means the default where nats-server takes it
/// so; `apply_defaults` puts it in.
/// Source: server-config, "Top-level keys"; members have the names of their keys.
struct server_options {
    // Clients.
    std::string host = "0.0.0.0";
    int port = 4222;
    std::string client_advertise; ///< `host` or `host:port`; empty: what is bound.
    bool proxy_protocol = false;
    int loops = 0; ///< 0: what measures best on this machine.

    // Who the server is.
    std::string server_name; ///< Empty: its id.
    std::vector<std::string> server_tags;
    std::map<std::string, std::string> server_metadata;
    std::map<std::string, bool> feature_flags;

    // Monitoring.
    std::string http_host; ///< Empty: `host`.
    int http_port = 0;     ///< 0: none.
    std::string http_base_path;

    int https_port = 0; ///< The same pages by HTTPS, instead; 0: none.

    // Encryption.
    std::optional<tls_options> tls;
    bool allow_non_tls = false; ///< Clients choose.
    ocsp_cache_options ocsp_cache;
    std::optional<ocsp_staple_options> ocsp;

    // Limits.
    std::int64_t max_connections = limits::max_connections; ///< Negative: none may connect.
    std::int64_t max_subscriptions = 0;                     ///< Per connection; 0: no limit.
    int max_subscription_tokens = 0;                        ///< 0: no limit.
    std::int64_t max_control_line = limits::max_control_line_bytes;
    std::int64_t max_payload = limits::max_payload_bytes; ///< -1: no limit.
    std::int64_t max_pending = limits::max_pending_bytes;
    std::int64_t max_closed_clients = limits::max_closed_clients;

    // Time.
    nanoseconds ping_interval = limits::ping_interval;
    int ping_max = limits::ping_max;
    nanoseconds write_deadline = limits::write_deadline;
    write_timeout_policy write_timeout = write_timeout_policy::by_default;
    bool no_fast_producer_stall = false;
    nanoseconds lame_duck_duration = std::chrono::minutes(2);
    nanoseconds lame_duck_grace_period = std::chrono::seconds(10);

    // The protocol.
    bool no_header_support = false;
    bool disable_sublist_cache = false;

    // Logging.
    bool debug = false;
    bool trace = false;
    bool trace_verbose = false; ///< The system account's too.
    bool trace_headers = false; ///< Only headers, no payload.
    int max_traced_msg_len = 0; ///< 0: whole.
    bool logtime = true;
    bool logtime_utc = false;
    std::string log_file;            ///< Empty: standard error.
    std::int64_t log_size_limit = 0; ///< Bytes; 0: never rotated.
    std::int64_t log_max_num = 0;    ///< Rotated files that are kept, with the current one; 0: all.
    bool syslog = false;
    std::string remote_syslog; ///< `udp://host:514`.
    int connect_error_reports = 3600;
    int reconnect_error_reports = 1;

    // Files.
    std::string pid_file;
    std::string ports_file_dir;

    // Who may connect.
    bool authorization_configured = false; ///< There was an `authorization` block.
    std::string username;
    std::string password;
    std::string token;
    bool proxy_required = false;     ///< Of the holders of these, not of `users`.
    nanoseconds auth_timeout{};      ///< 0: the default, which is longer with TLS.
    std::vector<user_options> users; ///< Of all accounts.
    std::vector<account_options> accounts;
    std::string no_auth_user;
    std::optional<auth_callout_options> auth_callout;
    std::optional<std::vector<std::string>> trusted_proxies; ///< Public keys; absent: no block.
    bool live_permissions = false; ///< They change on connections that are open.
    std::string system_account;    ///< Empty: `$SYS`.
    bool no_system_account = false;
    std::vector<mapping_options> mappings; ///< Of the account `$G`.

    // Whom users with JWTs are believed through.
    std::vector<std::string> operators; ///< Their JWTs, of which the signatures were verified.
    std::vector<std::string> trusted_keys;
    resolver_options resolver;
    std::map<std::string, std::string> resolver_preload; ///< JWTs by account.
    std::vector<std::string> resolver_pinned_accounts;
    std::string default_sentinel; ///< The JWT of those who bring none.

    // Other ways to connect.
    websocket_options websocket;

    // What another version of Pipit will do; kept because monitoring and scripts ask for it.
    bool jetstream = false;
    std::string store_dir;
    std::vector<reserved_listener> reserved_listeners;

    // Where they come from.
    std::string config_file;   ///< Empty: none.
    std::string config_digest; ///< `sha256:…` of the file; empty without one.

    friend bool operator==(const server_options&, const server_options&) = default;
};

/// Puts the defaults where a zero or an empty text means them.
void apply_defaults(server_options& options);

/// Checks what can only be seen when file and command line are together. nats-server checks the
/// same when it starts and when it reloads, and not for `-t`.
/// Errors: `errc::invalid_configuration`; the detail is the text to show.
[[nodiscard]] result<> validate_options(const server_options& options);

/// Somebody of that name, or with that nkey, can be who does not say who he is. Empty: nobody is.
/// Errors: as `validate_options`.
[[nodiscard]] result<> validate_no_auth_user(const server_options& options,
                                             const std::string& name);

/// An account of that name is configured; `$G` and `$SYS` are there without.
[[nodiscard]] bool has_account(const server_options& options, std::string_view name) noexcept;

/// As configurations write it: `close`, `retry`; empty for the default.
[[nodiscard]] std::string_view to_text(write_timeout_policy policy) noexcept;

/// Any of users, user, token: who may connect is not left open.
[[nodiscard]] bool requires_authentication(const server_options& options);

} // namespace pipit::server
