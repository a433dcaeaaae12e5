// SPDX-License-Identifier: Apache-2.0
// Where a server listens, how those connections become encrypted, and who is told of the places.
#include <pipit/base/ocsp_limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/detail/server_state.hpp>
#include <pipit/server/host_port.hpp>

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace pipit::server {
namespace {

std::uint16_t port_number(int configured) {
    return static_cast<std::uint16_t>(std::max(configured, 0)); // -1: any free one.
}

} // namespace

result<> server::state::prepare_tls() {
    auto rules = tls_rules_of(options, options.tls, options.allow_non_tls);
    if (!rules) {
        log_fatal(rules.error());
        return rules.error();
    }
    client_rules = {.behind_proxy = options.proxy_protocol, .tls = std::move(*rules)};
    auto for_monitoring = make_monitoring_tls(options);
    if (!for_monitoring) return for_monitoring.error();
    seen.monitoring_tls = std::move(*for_monitoring);
    return {};
}

result<std::shared_ptr<const net::tls_context>>
server::state::make_monitoring_tls(const server_options& from) {
    if (from.https_port == 0 || !from.tls) return std::shared_ptr<const net::tls_context>();
    auto settings = from.tls->settings;
    net::tls_server_parts parts;
    // As nats-server: where authorities are asked, monitoring is as closed as the clients' port.
    if (!asks_about_peers(from.tls) && !asks_about_peers(from.websocket.tls)) {
        settings.verifies_peer = false;
    } else if (asks_about_peers(from.tls)) {
        parts.judge = ocsp.judge(*from.tls->ocsp_peer, limits::peer_judgement);
    }
    return net::tls_context::for_server(settings, std::move(parts));
}

result<> server::state::bind_clients() {
    if (!setup.listens) return {};
    auto bound = net::listen_tcp(options.host, port_number(options.port));
    if (!bound) {
        const auto place = join_host_port(options.host, port_number(options.port));
        log.fatal("Error listening on port: " + place + ", \"" +
                  std::string(bound.error().detail()) + "\"");
        return bound.error();
    }
    client_socket = std::move(*bound);
    client_port = net::local_port(client_socket);
    client_address = net::local_address(client_socket);
    options.port = client_port;
    identity.port = client_port;
    return {};
}

result<> server::state::bind_websocket() {
    auto& wanted = options.websocket;
    if (!setup.listens || wanted.port == 0) return {};
    auto bound = net::listen_tcp(wanted.host, port_number(wanted.port));
    if (!bound) {
        log.fatal("Unable to listen for websocket connections: " +
                  std::string(bound.error().detail()));
        return bound.error();
    }
    auto tls = tls_rules_of(options, wanted.tls, false);
    if (!tls) {
        log_fatal(tls.error());
        return tls.error();
    }
    websocket_tls = std::move(*tls);
    websocket_socket = std::move(*bound);
    wanted.port = net::local_port(websocket_socket);
    websocket_address = net::local_address(websocket_socket);
    websockets = std::make_unique<websocket_policy>(wanted, wanted.tls.has_value());
    return {};
}

// --- When the loops run ---

void server::state::accept_clients() {
    if (!client_socket) return;
    log.info("Listening for client connections on " + join_host_port(options.host, client_port));
    if (options.proxy_protocol) log.info("PROXY protocol enabled for client connections");
    if (options.tls) {
        const bool tls_alone =
            options.tls->handshake_first && options.tls->handshake_first_fallback == nanoseconds{};
        log.info(options.allow_non_tls && !tls_alone ? "TLS available for client connections"
                                                     : "TLS required for client connections");
        if (tls_alone) {
            log.warning("Clients that are not using \"TLS Handshake First\" option will fail to "
                        "connect");
        }
    }
    client_acceptor = std::make_unique<net::tcp_acceptor>(
        loops[0]->events(), std::move(client_socket), "Client", log,
        [this](net::accepted_socket accepted) { place(std::move(accepted)); });
}

void server::state::accept_websockets() {
    if (!websocket_socket) return;
    const auto* const scheme = websockets->is_over_tls() ? "wss://" : "ws://";
    log.info(std::string("Listening for websocket clients on ") + scheme +
             join_host_port(options.websocket.host, options.websocket.port));
    if (!websockets->is_over_tls()) {
        log.warning("Websocket not configured with TLS. DO NOT USE IN PRODUCTION!");
    }
    websocket_acceptor = std::make_unique<net::tcp_acceptor>(
        loops[0]->events(), std::move(websocket_socket), "Websocket", log,
        [this](net::accepted_socket accepted) { place_websocket(std::move(accepted)); });
}

/// On the first loop's thread, as what follows.
loop& server::state::next_place() {
    const auto now = net::steady_now();
    if (loops.size() > 1 && places->is_due(now)) {
        std::vector<nanoseconds> used;
        for (const auto& each : loops) used.push_back(each->cpu_time());
        places->measure(used, now);
    }
    return *loops[places->choose()];
}

void server::state::place(net::accepted_socket accepted) {
    next_place().adopt(std::move(accepted), client_rules);
}

void server::state::place_websocket(net::accepted_socket accepted) {
    next_place().adopt(std::move(accepted), *websockets, websocket_tls);
}

std::vector<listening_place> server::state::places_listened_to() const {
    std::vector<listening_place> all;
    if (client_port != 0) {
        const bool is_secure = options.tls && !options.allow_non_tls;
        all.push_back({"nats", is_secure ? "tls" : "nats", client_address, client_port});
    }
    if (http) {
        const auto scheme = options.https_port != 0 ? "https" : "http";
        all.push_back({"monitoring", scheme, http->address(), http->port()});
    }
    if (websockets) {
        all.push_back({"websocket", websockets->is_over_tls() ? "wss" : "ws", websocket_address,
                       static_cast<std::uint16_t>(options.websocket.port)});
    }
    all.insert(all.end(), reserved->places().begin(), reserved->places().end());
    return all;
}

void server::state::write_ports_file() {
    if (options.ports_file_dir.empty()) return;
    const auto path = ports_file_path(options.ports_file_dir, static_cast<int>(::getpid()));
    const auto written =
        write_file(path, ports_json(places_listened_to(), net::interface_addresses()));
    if (written) {
        ports_file = path;
    } else {
        log.error("Error writing ports file (" + path +
                  "): " + std::string(written.error().detail()));
    }
}

void server::state::remove_ports_file() {
    if (ports_file.empty()) return;
    if (::unlink(ports_file.c_str()) != 0) {
        log.error("Error cleaning up ports file " + ports_file + ": " + system_reason(errno));
    }
    ports_file.clear();
}

/// New connections are refused by the system from then on.
void server::state::stop_listening() {
    have_every_loop("closed its listeners", [this](unsigned index, broker::broker&, moment) {
        if (index != 0) return;
        client_acceptor.reset();
        websocket_acceptor.reset();
    });
}

} // namespace pipit::server
