// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/filter_limits.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>
#include <pipit/broker/configuration.hpp>
#include <pipit/broker/snapshot.hpp>
#include <pipit/net/http.hpp>
#include <pipit/server/ocsp_cache.hpp>
#include <pipit/server/websocket_options.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Monitoring over HTTP, without a socket: a request target goes in, a document comes out. What the
/// documents say comes through one function, `collect`, so tests and fuzzers need no server.
/// Source: monitoring ("Monitoring" in the NATS docs); `/metrics` is ours.
namespace pipit::server {

/// Which connections. Sorting and paging are the asker's.
struct session_query {
    broker::session_state state = broker::session_state::open;
    std::optional<std::uint64_t> client_id = std::nullopt; ///< None: all.
};

/// What one document needs of every loop. Statistics are always asked for.
struct monitoring_query {
    bool accounts = false;
    std::string responses_of = {}; ///< The account whose answers are awaited; empty: nobody's.
    std::optional<session_query> sessions = std::nullopt;
    /// One page of the subscriptions of all loops.
    std::optional<broker::subscription_query> subscriptions = std::nullopt;
};

/// The answers of one loop's broker, each taken between two of its batches.
struct loop_snapshot {
    broker::broker_statistics statistics;
    std::vector<broker::account_snapshot> accounts;
    std::vector<broker::response_snapshot> responses; ///< Some of them, if there are many.
    std::vector<broker::session_snapshot> sessions;
    broker::subscription_list subscriptions; ///< This loop's part of the page.
};

/// What the server knows and its brokers do not.
struct server_snapshot {
    moment now{};
    wall_time start{};
    wall_time configuration_loaded{};
    std::string configuration_digest; ///< `sha256:…`, or empty without a file.
    std::string pipit_version;
    std::string http_host; ///< As configured; a port may be -1 or 0.
    int http_port = 0;
    int https_port = 0;
    nanoseconds tls_timeout = limits::tls_timeout;
    std::optional<std::chrono::sys_seconds> tls_valid_until; ///< The server's certificate.
    bool asks_about_peers = false; ///< Authorities are asked about the clients' certificates.
    std::optional<ocsp_statistics> ocsp_cache = std::nullopt; ///< Of what they have said.
    std::string http_base_path; ///< As configured, `/monitoring` for example, or empty.
    std::vector<std::string> tags;
    std::vector<std::string> operators; ///< Their JWTs.
    std::uint64_t refused_unpinned = 0; ///< Logins of accounts that are not pinned.
    std::map<std::string, std::string> metadata;
    std::map<std::string, bool> feature_flags; ///< As configured.
    std::string write_timeout;                 ///< `close`, `retry`, or empty for the default.
    websocket_options websocket;               ///< Without secrets.
    std::optional<std::vector<std::string>> trusted_proxies = std::nullopt; ///< Public keys.
    std::vector<std::string> command_line;
    std::string not_ready; ///< Why the server does not accept connections yet; empty: it does.
    std::uint64_t memory_bytes = 0;
    double cpu_percent = 0;
    unsigned cores = 0;
};

/// Everything one document is made of. Plain copies; crosses threads as a value.
struct monitoring_snapshot {
    server_snapshot server;
    std::shared_ptr<const broker::configuration> configuration;
    std::vector<loop_snapshot> loops;
};

/// Asks the server and every loop, and waits at most until a deadline of its own.
/// Errors: a loop did not answer in time, or the server is closing.
using collect_function = std::function<result<monitoring_snapshot>(const monitoring_query&)>;

/// Answers request targets with documents, and counts them.
///
/// Threads: one, that of the HTTP server; `collect` is called on it. `request_counts` is for all.
class monitor {
public:
    /// `base_path` is the configuration's `http_base_path`. Failed health checks are logged.
    monitor(std::string base_path, collect_function collect, logger log);

    /// Never throws, whatever the target is. An unknown path is 404, a bad parameter 400, a server
    /// that does not answer in time 503.
    [[nodiscard]] net::http_response respond(std::string_view target);

    /// How often each path was asked for. Threads: any.
    [[nodiscard]] std::map<std::string, std::uint64_t, std::less<>> request_counts() const;

private:
    void count(std::string_view path);

    std::string base_path_; ///< `/`, or begins with one and does not end with one.
    collect_function collect_;
    logger log_;
    mutable std::mutex counts_lock_;
    std::map<std::string, std::uint64_t, std::less<>> request_counts_; ///< By path.
};

} // namespace pipit::server
