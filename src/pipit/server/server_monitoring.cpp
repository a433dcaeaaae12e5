// SPDX-License-Identifier: Apache-2.0
// What is seen of a server from outside.
#include <pipit/net/clock.hpp>
#include <pipit/net/error.hpp>
#include <pipit/server/detail/server_state.hpp>
#include <pipit/server/host_port.hpp>
#include <pipit/server/version.hpp>

#include <algorithm>
#include <thread>

namespace pipit::server {

namespace {

std::string text_of(write_timeout_policy policy) {
    switch (policy) {
    case write_timeout_policy::close: return "close";
    case write_timeout_policy::retry: return "retry";
    case write_timeout_policy::by_default: break;
    }
    return {};
}

} // namespace

void note_options(server_snapshot& facts, const server_options& options) {
    facts.configuration_digest = options.config_digest;
    facts.tags = options.server_tags;
    facts.metadata = options.server_metadata;
    facts.feature_flags = options.feature_flags;
    facts.write_timeout = text_of(options.write_timeout);
}

result<> server::state::start_monitoring() {
    auto& facts = seen.server;
    facts.configuration_loaded = facts.start;
    note_options(facts, options);
    facts.pipit_version = pipit_version();
    facts.http_host = options.http_host.empty() ? options.host : options.http_host;
    facts.http_port = options.http_port;
    facts.http_base_path = options.http_base_path;
    facts.command_line = setup.command_line;
    facts.not_ready = "the server is starting";
    facts.cores = std::thread::hardware_concurrency();
    if (options.http_port == 0) return {};

    documents = std::make_unique<monitor>(
        options.http_base_path, [this](const monitoring_query& query) { return collect(query); },
        log);
    net::http_server_options wanted;
    wanted.host = facts.http_host;
    wanted.port = static_cast<std::uint16_t>(std::max(options.http_port, 0)); // -1: any free one.
    auto serving = net::http_server::listen(
        wanted, [this](std::string_view target) { return documents->respond(target); });
    if (!serving) {
        const auto place = join_host_port(wanted.host, wanted.port);
        log.fatal("Can't start monitoring: can't listen to the monitor port: listen tcp " + place +
                  ": bind: " + system_reason(serving.error().code().value()));
        return serving.error();
    }
    http = std::move(*serving);
    log.info("Starting http monitor on " + join_host_port(facts.http_host, http->port()));
    return {};
}

/// On the HTTP server's thread.
result<monitoring_snapshot> server::state::collect(const monitoring_query& query) {
    monitoring_snapshot snapshot;
    {
        const std::lock_guard guard(seen.lock);
        if (seen.is_closing) return error(net::errc::closed, "the server is closing");
        snapshot.server = seen.server;
        snapshot.configuration = seen.config;
        const auto usage = read_process_usage();
        snapshot.server.memory_bytes = usage.memory_bytes;
        snapshot.server.cpu_percent = seen.meter.percent(usage.cpu_time, net::steady_now());
    }
    snapshot.server.now = net::wall_now();
    auto by_loop = std::make_shared<std::vector<loop_snapshot>>(loops.size());
    const auto answered =
        on_every_loop([by_loop, query](unsigned index, broker::broker& broker, moment) {
            auto& one = (*by_loop)[index];
            one.statistics = broker.statistics();
            if (query.accounts) one.accounts = broker.accounts();
            if (query.sessions) one.sessions = broker.sessions(*query.sessions);
            if (query.subscriptions) one.subscriptions = broker.subscriptions(*query.subscriptions);
        });
    if (!answered) return error(net::errc::timed_out, "a loop did not answer in time");
    snapshot.loops = std::move(*by_loop);
    return snapshot;
}

} // namespace pipit::server
