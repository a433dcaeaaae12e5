// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>
#include <pipit/net/pipe.hpp>
#include <pipit/server/log_sink.hpp>
#include <pipit/server/options_from_config.hpp>
#include <pipit/server/placement.hpp>
#include <pipit/server/reload_difference.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pipit::server {

/// What a server is made of.
struct server_setup {
    loaded_options loaded; ///< Validated.
    /// Reads the options again and says what that changes; empty: they cannot change.
    std::function<result<reload_plan>(const server_options& current)> plan_reload;
    std::shared_ptr<log_sink> sink;
    /// Shown by monitoring; without secrets.
    std::vector<std::string> command_line;
    std::uint64_t seed = 0;
    placement_policy policy = placement_policy::fill;
    bool listens = true;      ///< False: only connections inside the process.
    bool owns_process = true; ///< False: its limits and the advice to people are somebody else's.
};

/// A server: its listeners, its loops with their brokers, monitoring, and its life from the start
/// to the end.
///
/// Threads: one; `connect` is for all. Connections live on the loops' own threads.
class server {
public:
    /// Starts it; when it returns, everything that is listened for accepts. What is wrong is
    /// logged as fatal before the error comes back.
    [[nodiscard]] static result<std::unique_ptr<server>> start(server_setup setup);
    /// Shuts down.
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// `nats`, or `tls` when nothing else is served.
    [[nodiscard]] std::string scheme() const;
    /// The clients' port; 0 when there is none.
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// The monitoring's port; 0 when there is none.
    [[nodiscard]] std::uint16_t monitoring_port() const noexcept;
    /// The WebSockets' port; 0 when there is none.
    [[nodiscard]] std::uint16_t websocket_port() const noexcept;
    /// A connection inside this process.
    [[nodiscard]] net::pipe_end connect();

    /// Reads the configuration again, checks all of it, and then obeys it on all loops. A failure
    /// is logged and returned, and changes nothing; but `errc::invalid_request`: everything is
    /// changed, and a loop that is late will obey.
    result<> reload();
    void reopen_log();

    /// Begins to close, gently. False: it has begun already.
    bool enter_lame_duck();
    [[nodiscard]] bool is_lame_duck() const noexcept;
    /// When `expire` wants to be called; nothing: never.
    [[nodiscard]] std::optional<steady_time> next_deadline() const noexcept;
    /// Goes on with what time brings: the end of a lame duck.
    void expire(steady_time now);

    /// Ends every connection, and all threads.
    void shut_down();
    [[nodiscard]] bool is_shut_down() const noexcept;

    [[nodiscard]] logger log() const;

private:
    struct state;
    explicit server(std::unique_ptr<state> parts);
    std::unique_ptr<state> state_;
};

} // namespace pipit::server
