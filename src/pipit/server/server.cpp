// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/limits.hpp>
#include <pipit/broker/mesh.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/detail/server_state.hpp>
#include <pipit/server/detail/system_state.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/host_port.hpp>
#include <pipit/server/server_identity.hpp>
#include <pipit/server/start_report.hpp>
#include <pipit/server/version.hpp>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <thread>
#include <unistd.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

std::uint16_t port_number(int configured) {
    return static_cast<std::uint16_t>(std::max(configured, 0)); // -1: any free one.
}

} // namespace

unsigned default_loop_count() noexcept { return 1; }

// --- The life of a server ---

server::state::state(server_setup its_setup)
    : setup(std::move(its_setup)),
      options(setup.loaded.options),
      sink(setup.sink),
      log(make_logger(sink, options)),
      random(setup.seed) {}

server::state::~state() {
    shut_down();
    // What still comes from elsewhere would be for a thread that ends.
    if (system) system->stop();
    if (callout) callout->stop();
    if (authority) authority->resolver().stop();
}

result<> server::state::start() {
    if (auto configured = sink->configure(options); !configured) {
        log.fatal(configured.error().detail());
        return configured;
    }
    seen.server.start = net::wall_now();
    keys = make_server_keys();
    identity = make_server_identity(keys);
    auto named = identity;
    if (!options.server_name.empty()) named.name = options.server_name;
    report_start(log, options, named);
    for (const auto& notice : setup.loaded.notices) log.warning(notice);
    if (setup.owns_process) raise_file_limit(log, options);
    for (const auto step : {&state::prepare_tls, &state::write_pid_file, &state::check_store_folder,
                            &state::bind_clients, &state::bind_websocket, &state::make_loops,
                            &state::start_authority, &state::start_monitoring}) {
        if (auto done = (this->*step)(); !done) return done;
    }
    reserved = std::make_unique<reserved_listeners>(loops[0]->events());
    for (const auto& wanted : options.reserved_listeners) {
        if (auto bound = reserved->listen(wanted, options.host, log); !bound) {
            log_fatal(bound.error());
            return bound;
        }
    }
    start_callout();
    start_system();
    accept_websockets();
    accept_clients();
    for (auto& each : loops) each->start();
    write_ports_file();
    {
        const std::lock_guard guard(seen.lock);
        seen.server.not_ready.clear();
    }
    log.info("Server is ready");
    if (setup.owns_process) report_ready(log, options, client_port, http ? http->port() : 0);
    return {};
}

result<> server::state::prepare_tls() {
    auto rules = make_tls_rules(options.tls ? &*options.tls : nullptr, options.allow_non_tls);
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
    settings.verifies_peer = false;
    return net::tls_context::for_server(settings);
}

result<> server::state::write_pid_file() {
    if (options.pid_file.empty()) return {};
    auto written = write_file(options.pid_file, std::to_string(::getpid()));
    if (!written) log.fatal("Could not write pidfile: " + std::string(written.error().detail()));
    return written;
}

result<> server::state::check_store_folder() {
    if (!options.jetstream || options.store_dir.empty()) return {};
    std::error_code ignored;
    const auto found = std::filesystem::status(options.store_dir, ignored);
    if (!std::filesystem::exists(found) || std::filesystem::is_directory(found)) return {};
    const error refused(errc::invalid_configuration,
                        "Can't start JetStream: storage directory is not a directory");
    log.fatal(refused.detail());
    return refused;
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
    auto tls = make_tls_rules(wanted.tls ? &*wanted.tls : nullptr, false);
    if (!tls) {
        log_fatal(tls.error());
        return tls.error();
    }
    websocket_tls = std::move(*tls);
    websocket_socket = std::move(*bound);
    wanted.port = net::local_port(websocket_socket);
    websockets = std::make_unique<websocket_policy>(wanted, wanted.tls.has_value());
    return {};
}

result<> server::state::make_loops() {
    const auto config = broker_configuration(options, identity, accounts);
    if (!config) {
        log_fatal(config.error());
        return config.error();
    }
    seen.config = *config;
    for (const auto& account : (*config)->accounts) counters.accounts[account.id];
    const auto count =
        options.loops > 0 ? static_cast<unsigned>(options.loops) : default_loop_count();
    mesh = std::make_unique<broker::mesh>(count);
    places.emplace(count, setup.policy);
    for (unsigned i = 0; i < count; ++i) {
        loops.push_back(std::make_unique<loop>(i, setup.seed, *config,
                                               loop_surroundings{*mesh, counters, logins}, log));
    }
    return {};
}

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
        all.push_back({"nats", is_secure ? "tls" : "nats", options.host, client_port});
    }
    if (http) {
        const auto& host = options.http_host.empty() ? options.host : options.http_host;
        const auto scheme = options.https_port != 0 ? "https" : "http";
        all.push_back({"monitoring", scheme, host, http->port()});
    }
    if (websockets) {
        const auto& own = options.websocket;
        all.push_back({"websocket", websockets->is_over_tls() ? "wss" : "ws", own.host,
                       static_cast<std::uint16_t>(own.port)});
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
    on_every_loop([this](unsigned index, broker::broker&, moment) {
        if (index != 0) return;
        client_acceptor.reset();
        websocket_acceptor.reset();
    });
}

void server::state::shut_down() {
    if (is_shut_down || loops.empty()) return;
    is_shut_down = true;
    log.info("Initiating Shutdown...");
    {
        const std::lock_guard guard(seen.lock);
        seen.is_closing = true;
    }
    http.reset();
    stop_system();
    stop_listening();
    on_every_loop([](unsigned, broker::broker& broker, moment now) {
        broker.close_all(broker::close_reason::server_shutdown, now);
    });
    const auto deadline_of_all = net::steady_now() + limits::shutdown_flush;
    const auto is_open = [](const auto& each) { return each->connection_count() != 0; };
    while (std::any_of(loops.begin(), loops.end(), is_open) &&
           net::steady_now() < deadline_of_all) {
        std::this_thread::sleep_for(2ms);
    }
    for (auto& each : loops) each->stop();
    reserved.reset();
    remove_ports_file();
    log.info("Server Exiting..");
}

// --- Loops ---

bool server::state::on_every_loop(loop_task task) {
    struct progress {
        std::mutex lock;
        std::condition_variable changed;
        std::size_t left = 0;
        loop_task task;
    };
    // Shared, because a loop that is late runs it when nobody waits any more.
    auto shared = std::make_shared<progress>();
    shared->left = loops.size();
    shared->task = std::move(task);
    for (unsigned i = 0; i < loops.size(); ++i) {
        loops[i]->post([shared, i](broker::broker& broker, moment now) {
            shared->task(i, broker, now);
            const std::lock_guard guard(shared->lock);
            --shared->left;
            shared->changed.notify_all();
        });
    }
    std::unique_lock guard(shared->lock);
    return shared->changed.wait_for(guard, limits::loop_deadline,
                                    [&] { return shared->left == 0; });
}

std::vector<std::uint64_t> server::state::client_ids() {
    auto by_loop = std::make_shared<std::vector<std::vector<std::uint64_t>>>(loops.size());
    std::vector<std::uint64_t> all;
    const auto asked = on_every_loop([by_loop](unsigned index, broker::broker& broker, moment) {
        (*by_loop)[index] = broker.client_ids();
    });
    if (!asked) return all;
    for (const auto& some : *by_loop) all.insert(all.end(), some.begin(), some.end());
    return all;
}

// --- The server as others see it ---

result<std::unique_ptr<server>> server::start(server_setup setup) {
    auto made = std::make_unique<state>(std::move(setup));
    if (auto started = made->start(); !started) {
        made->is_shut_down = true; // There is nothing to say about its end.
        return started.error();
    }
    return std::unique_ptr<server>(new server(std::move(made)));
}

server::server(std::unique_ptr<state> parts) : state_(std::move(parts)) {}
server::~server() = default;

std::string server::scheme() const {
    const auto& options = state_->options;
    return options.tls && !options.allow_non_tls ? "tls" : "nats";
}

std::uint16_t server::port() const noexcept { return state_->client_port; }

std::uint16_t server::monitoring_port() const noexcept {
    return state_->http ? state_->http->port() : std::uint16_t{0};
}

std::uint16_t server::websocket_port() const noexcept {
    return state_->websockets ? static_cast<std::uint16_t>(state_->options.websocket.port)
                              : std::uint16_t{0};
}

net::pipe_end server::connect() {
    auto made = net::make_pipe();
    const auto number = state_->in_process_connections++;
    const auto is_spread = state_->setup.policy == placement_policy::round_robin;
    state_->loops[is_spread ? number % state_->loops.size() : 0]->adopt(std::move(made.loop));
    return std::move(made.caller);
}

result<> server::reload() {
    const std::lock_guard guard(state_->administration);
    return state_->reload();
}

void server::reopen_log() {
    const std::lock_guard guard(state_->administration);
    if (state_->options.log_file.empty()) {
        return state_->log.info("File log re-open ignored, not a file logger");
    }
    if (const auto reopened = state_->sink->reopen(); !reopened) {
        return state_->log.error(reopened.error().detail());
    }
    state_->log.info("File log re-opened");
}

bool server::enter_lame_duck() {
    auto& its = *state_;
    const std::lock_guard guard(its.administration);
    if (its.lame_duck || its.is_shut_down) return false;
    its.lame_duck = true;
    its.publish_end("LAMEDUCK");
    its.log.info("Entering lame duck mode, stop accepting new clients");
    its.stop_listening();
    if (its.client_ids().empty()) {
        its.shut_down();
        return true;
    }
    its.on_every_loop(
        [](unsigned, broker::broker& broker, moment now) { broker.announce_lame_duck(now); });
    its.deadline = net::steady_now() + its.options.lame_duck_grace_period;
    return true;
}

bool server::is_lame_duck() const noexcept { return state_->lame_duck; }

std::optional<steady_time> server::next_deadline() const noexcept { return state_->deadline; }

void server::expire(steady_time now) {
    auto& its = *state_;
    const std::lock_guard guard(its.administration);
    if (!its.deadline || now < *its.deadline) return;
    if (!its.leaving) {
        its.log.info("Closing existing clients");
        its.leaving.emplace(its.client_ids(),
                            its.options.lame_duck_duration - its.options.lame_duck_grace_period,
                            its.random);
    }
    const auto next = its.leaving->next_group();
    const std::vector<std::uint64_t> group(next.begin(), next.end());
    its.on_every_loop([group](unsigned, broker::broker& broker, moment at) {
        broker.close_sessions(group, broker::close_reason::server_shutdown, at);
    });
    if (its.leaving->done()) {
        its.deadline.reset();
        return its.shut_down();
    }
    its.deadline = now + its.leaving->next_pause(its.random);
}

void server::shut_down() {
    const std::lock_guard guard(state_->administration);
    state_->shut_down();
}

bool server::is_shut_down() const noexcept { return state_->is_shut_down; }

logger server::log() const {
    const std::lock_guard guard(state_->administration);
    return state_->log;
}

} // namespace pipit::server
