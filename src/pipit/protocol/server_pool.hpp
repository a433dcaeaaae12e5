// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/client_limits.hpp>
#include <pipit/base/random.hpp>
#include <pipit/protocol/server_address.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pipit::protocol {

struct server_pool_options {
    bool randomize = true; ///< The order of the servers, and where discovered ones join.
    /// Failures in a row after which a server is removed; -1: never.
    int attempts_max = limits::client_reconnect_attempts;
    /// A server that gives the same authentication error twice in a row is removed.
    bool remove_on_repeated_auth_error = true;
};

/// The servers a client may connect to. They take turns: whoever failed, or was left, goes to the
/// end.
/// Source: ADR-40.
class server_pool {
public:
    server_pool(std::vector<server_address> servers, server_pool_options options,
                random_source random);

    /// Whose turn it is; null when every server was removed.
    /// Lifetime: until the pool changes.
    [[nodiscard]] const server_address* current() const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    /// All of them as `host:port`, the current one first.
    [[nodiscard]] std::vector<std::string> names() const;

    /// The current server is connected: its failures are forgotten.
    void succeeded() noexcept;
    /// The current server failed, with the text of its authentication error or none.
    void failed(std::string_view auth_error = {});
    /// The connection to the current server ended; another one is to be tried first.
    void left();

    /// Takes `connect_urls` of an INFO: new ones join, discovered ones that are not named any more
    /// go, apart from the current one. They are reached in the way the current one is. No more
    /// than `limits::discovered_servers` are kept. Returns those that joined, as `host:port`.
    std::vector<std::string> discover(const std::vector<std::string>& urls);

private:
    struct entry {
        server_address server;
        bool discovered = false;
        int failures = 0;
        std::string auth_error;
    };

    void shuffle(std::size_t first);

    std::vector<entry> entries_; ///< The current one is in front.
    server_pool_options options_;
    random_source random_;
};

} // namespace pipit::protocol
