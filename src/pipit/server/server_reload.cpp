// SPDX-License-Identifier: Apache-2.0
// What changes while a server lives.
#include <pipit/net/clock.hpp>
#include <pipit/server/account_excess.hpp>
#include <pipit/server/detail/server_state.hpp>
#include <pipit/server/error.hpp>

#include <algorithm>
#include <unistd.h>

namespace pipit::server {

result<> server::state::reload() {
    const auto fail = [&](const error& why) {
        log.error("Failed to reload server configuration: " + std::string(why.detail()));
        return result<>(why);
    };
    if (is_shut_down) return fail({errc::reload_not_supported, "the server has ended"});
    if (!setup.plan_reload) {
        return fail({errc::reload_not_supported,
                     "can only reload config when a file is provided using -c or --config"});
    }
    const auto plan = setup.plan_reload(options);
    if (!plan) return fail(plan.error());
    auto next = plan->next.options;
    next.port = options.port; // A difference was refused; -1 is the port that was found.
    next.websocket.port = options.websocket.port;
    const auto logs_differently =
        std::any_of(plan->changes.begin(), plan->changes.end(), [](const option_change& change) {
            return change.effect == change_effect::logging;
        });
    if (logs_differently) {
        if (auto configured = sink->configure(next); !configured) return fail(configured.error());
    }
    auto resolver = changed_resolver(next);
    auto obeyed = resolver ? obey(next) : result<>(resolver.error());
    if (!obeyed) {
        if (logs_differently) (void)sink->configure(options);
        return fail(obeyed.error());
    }
    const auto before = std::exchange(options, std::move(next));
    log = make_logger(sink, options);
    for (auto& each : loops) each->set_log(log);
    obey_resolver(before, std::move(*resolver));
    for (const auto& warning : plan->next.warnings) log.warning(warning);
    for (const auto& notice : plan->next.notices) {
        const auto& told = setup.loaded.notices; // By the start, or the reload before.
        if (std::ranges::find(told, notice) == told.end()) log.warning(notice);
    }
    setup.loaded.notices = plan->next.notices;
    for (const auto& change : plan->changes) {
        log.info(change.text);
        apply(change, before);
    }
    bool is_obeyed = close_excess_of_accounts();
    is_obeyed &= close_excess_connections();
    configure_ocsp();
    // Behind all that the loops were told.
    if (!on_every_loop([](unsigned, broker::broker&, moment) {}) || !is_obeyed) {
        return fail({errc::invalid_request, "a loop has not obeyed in time; it will"});
    }
    log.info(plan->done_text);
    return {};
}

result<> server::state::obey(const server_options& next) {
    staples.forget_prepared();
    auto tls = tls_rules_of(next, next.tls, next.allow_non_tls);
    if (!tls) return tls.error();
    auto own = tls_rules_of(next, next.websocket.tls, false);
    if (!own) return own.error();
    auto for_monitoring = make_monitoring_tls(next);
    if (!for_monitoring) return for_monitoring.error();
    const auto config = broker_configuration(next, identity, accounts);
    if (!config) return config.error();
    // Whether all have, `reload()` asks when they have been told everything.
    (void)on_every_loop([this, config = *config, tls = *tls,
                         own = *own](unsigned index, broker::broker& broker, moment now) {
        if (index == 0) { // For those who come from now on.
            client_rules.tls = tls;
            websocket_tls = own;
        }
        broker.reconfigure(config, now);
    });
    check_callout_account(**config);
    {
        const std::lock_guard guard(seen.lock);
        seen.config = *config;
        seen.server.configuration_loaded = net::wall_now();
        note_options(seen.server, next);
        note_tls(seen.server, tls->get());
        seen.monitoring_tls = std::move(*for_monitoring);
    }
    note_system_facts();
    serve_accounts();
    return {};
}

void server::state::apply(const option_change& change, const server_options& before) {
    switch (change.effect) {
    case change_effect::none:
    case change_effect::logging: return;
    case change_effect::pid_file:
        if (!before.pid_file.empty()) ::unlink(before.pid_file.c_str());
        if (options.pid_file.empty()) return;
        if (const auto written = write_file(options.pid_file, std::to_string(::getpid()));
            !written) {
            log.error("Failed to write pidfile: " + std::string(written.error().detail()));
        }
        return;
    case change_effect::ports_file:
        remove_ports_file();
        write_ports_file();
        return;
    }
}

/// The youngest connections go. False: a loop is late, and nobody went.
bool server::state::close_excess_connections() {
    if (options.max_connections == 0) return true;
    const auto allowed =
        static_cast<std::size_t>(std::max<std::int64_t>(options.max_connections, 0));
    if (static_cast<std::size_t>(std::max<std::int64_t>(counters.connections.load(), 0)) <=
        allowed) {
        return true;
    }
    auto ids = client_ids();
    if (!ids) return false;
    if (ids->size() <= allowed) return true;
    std::sort(ids->begin(), ids->end());
    ids->erase(ids->begin(), ids->begin() + static_cast<std::ptrdiff_t>(allowed));
    // `reload()` asks for late ones.
    (void)on_every_loop([ids = *ids](unsigned, broker::broker& broker, moment now) {
        broker.close_sessions(ids, broker::close_reason::max_connections_exceeded, now);
    });
    log.info("Closed " + std::to_string(ids->size()) +
             " connections to fall within max_connections");
    return true;
}

/// The same of each account, when all loops have refused whom they had to: those must not count.
bool server::state::close_excess_of_accounts() {
    const auto config = seen.configuration();
    if (std::ranges::none_of(config->accounts, has_excess)) return true;
    return close_excess_of(config->accounts);
}

/// The youngest of all loops go, as in nats-server: a loop alone does not know whom the others end.
/// False: a loop is late, and nobody went.
bool server::state::close_excess_of(std::span<const broker::account_configuration> of) {
    std::vector<loop_snapshot> all(loops.size());
    if (!collect_sessions({}, all)) return false;
    const auto ids = excess_connections(of, all);
    // A late one does it behind what it has been told before.
    (void)on_every_loop([ids](unsigned, broker::broker& broker, moment now) {
        broker.close_sessions(ids, broker::close_reason::max_account_connections_exceeded, now);
    });
    return true;
}

} // namespace pipit::server
