// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/server/monitoring.hpp>

#include <boost/system/errc.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pipit::server::testing {

inline constexpr broker::account_id global_id{1}, account_a_id{2}, system_id{3};

/// 2026-11-21T04:16:48Z, and what comes after it.
inline wall_time at(nanoseconds after = {}) {
    return wall_time(std::chrono::seconds(1795234608)) + after;
}

/// The same by both clocks, which are an hour and a half apart.
inline moment moment_at(nanoseconds after = {}) {
    return {steady_time(std::chrono::minutes(90) + after), at(after)};
}

/// A server of two loops with the accounts $G, A and $SYS, and nothing in it.
inline monitoring_snapshot empty_snapshot() {
    broker::configuration configuration;
    configuration.identity.id = "NSERVER";
    configuration.identity.name = "one";
    configuration.identity.version = "2.15.2";
    configuration.identity.host = "127.0.0.1";
    configuration.identity.port = 4222;
    configuration.global_account = global_id;
    configuration.system_account = system_id;
    for (const auto& [id, name] :
         {std::pair(global_id, "$G"), std::pair(account_a_id, "A"), std::pair(system_id, "$SYS")}) {
        auto& account = configuration.accounts.emplace_back();
        account.id = id;
        account.name = name;
    }
    monitoring_snapshot snapshot;
    snapshot.configuration = std::make_shared<broker::configuration>(std::move(configuration));
    snapshot.server.now = moment_at();
    snapshot.server.start = at() - std::chrono::seconds(3723);
    snapshot.server.configuration_loaded = snapshot.server.start;
    snapshot.server.pipit_version = "0.1.0";
    snapshot.server.http_host = "127.0.0.1";
    snapshot.server.http_port = -1;
    snapshot.server.memory_bytes = 4096;
    snapshot.server.cores = 2;
    snapshot.loops.resize(2);
    return snapshot;
}

/// An open connection of an account.
inline broker::session_snapshot open_session(std::uint64_t client_id,
                                             broker::account_id account = global_id) {
    broker::session_snapshot session;
    session.client_id = client_id;
    session.ip = "127.0.0.1";
    session.port = 5000;
    session.start = moment_at(-std::chrono::seconds(60));
    session.last_activity = moment_at(-std::chrono::seconds(9));
    session.account = account;
    session.authenticated = true;
    return session;
}

/// A monitor of a server that always answers the same, and remembers what it was asked.
struct monitored {
    monitoring_snapshot snapshot = empty_snapshot();
    std::vector<monitoring_query> asked = {};
    std::vector<std::string> log_lines = {};
    bool answers = true;
    std::string base_path = {};
    std::unique_ptr<monitor> made = {};

    net::http_response get(std::string_view target) {
        if (!made) {
            made = std::make_unique<monitor>(
                base_path, [this](const monitoring_query& query) { return collect(query); },
                logger([this](log_level, std::string_view line) { log_lines.emplace_back(line); }));
        }
        return made->respond(target);
    }

    /// Gives the server a configuration that differs by what `change` does to it.
    template <class Change>
    void reconfigure(Change change) {
        auto configuration = *snapshot.configuration;
        change(configuration);
        snapshot.configuration =
            std::make_shared<const broker::configuration>(std::move(configuration));
    }

    /// Gives it a JWT with this name.
    void call_account_a(const std::string& name) {
        auto claims = std::make_shared<broker::account_claims>();
        claims->name = name;
        reconfigure([&](auto& configuration) { configuration.accounts[1].claims = claims; });
    }

    result<monitoring_snapshot> collect(const monitoring_query& query) {
        asked.push_back(query);
        if (!answers) return error(make_error_code(boost::system::errc::timed_out), "loop 1");
        return snapshot;
    }
};

} // namespace pipit::server::testing
