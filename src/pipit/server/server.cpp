// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/limits.hpp>
#include <pipit/broker/mesh.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/detail/server_state.hpp>
#include <pipit/server/detail/system_state.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/server_identity.hpp>
#include <pipit/server/start_report.hpp>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <thread>
#include <unistd.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

/// What measures best: docs/performance.md.
constexpr unsigned default_loop_count = 1;

} // namespace

// --- The life of a server ---

server::state::state(server_setup its_setup)
    : setup(std::move(its_setup)),
      options(setup.loaded.options),
      sink(setup.sink),
      log(make_logger(sink, options)),
      random(setup.seed) {}

server::state::~state() {
    ender.stop();
    shut_down();
    // What still comes from elsewhere would be for a thread that ends.
    if (system) system->stop();
    if (callout) callout->stop();
    if (jwt_accounts) {
        logins.thread().stop(); // Which else may be dropping a resolver that is stopped here.
        jwt_accounts->stop();
    }
}

result<> server::state::start() {
    if (auto configured = sink->configure(options); !configured) {
        log.fatal(configured.error().detail());
        return configured;
    }
    seen.server.start = net::wall_now();
    seen.started = net::steady_now();
    keys = make_server_keys();
    identity = make_server_identity(keys);
    auto named = identity;
    if (!options.server_name.empty()) named.name = options.server_name;
    report_start(log, options, named);
    for (const auto& notice : setup.loaded.notices) log.warning(notice);
    if (setup.owns_process) raise_file_limit(log, options);
    for (const auto step : {&state::prepare_tls, &state::check_store_folder, &state::bind_clients,
                            &state::bind_websocket, &state::make_loops, &state::start_authority,
                            &state::start_monitoring}) {
        if (auto done = (this->*step)(); !done) return done;
    }
    reserved = std::make_unique<reserved_listeners>(loops[0]->events());
    for (const auto& wanted : options.reserved_listeners) {
        if (auto bound = reserved->listen(wanted, options.host, log); !bound) {
            log_fatal(bound.error());
            return bound;
        }
    }
    // Behind all that fails where another one runs, whose file it may be.
    if (auto written = write_pid_file(); !written) return written;
    start_callout();
    start_system();
    configure_ocsp();
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

result<> server::state::make_loops() {
    const auto config = broker_configuration(options, identity, accounts);
    if (!config) {
        log_fatal(config.error());
        return config.error();
    }
    seen.config = *config;
    const auto count =
        options.loops > 0 ? static_cast<unsigned>(options.loops) : default_loop_count;
    mesh = std::make_unique<broker::mesh>(count);
    places.emplace(count, setup.policy);
    for (unsigned i = 0; i < count; ++i) {
        loops.push_back(std::make_unique<loop>(i, random(), *config,
                                               loop_dependencies{*mesh, counters, logins}, log));
    }
    return {};
}

void server::state::shut_down() {
    is_ending = true;
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
    // Who is late is waited for below, and then for its thread.
    (void)on_every_loop([](unsigned, broker::broker& broker, moment now) {
        broker.close_all(broker::close_reason::server_shutdown, now);
    });
    const auto deadline_of_all = net::steady_now() + limits::shutdown_flush;
    const auto is_open = [](const auto& each) { return each->connection_count() != 0; };
    while (std::any_of(loops.begin(), loops.end(), is_open) &&
           net::steady_now() < deadline_of_all) {
        std::this_thread::sleep_for(2ms);
    }
    for (auto& each : loops) each->stop();
    ocsp.stop();
    staples.stop();
    reserved.reset();
    remove_ports_file();
    log.info("Server Exiting..");
}

// --- Loops ---

bool server::state::on_every_loop(loop_task task) {
    struct progress {
        std::mutex lock;
        std::condition_variable changed;
        bool done = false;
    };
    // Shared, because a loop that is late comes to it when nobody waits any more.
    auto shared = std::make_shared<progress>();
    post_to_all(loops, std::move(task), [shared] {
        const std::lock_guard guard(shared->lock);
        shared->done = true;
        shared->changed.notify_all();
    });
    std::unique_lock guard(shared->lock);
    return shared->changed.wait_for(guard, limits::loop_deadline, [&] { return shared->done; });
}

void server::state::have_every_loop(std::string_view what, loop_task task) {
    if (on_every_loop(std::move(task))) return;
    log.error("A loop has not " + std::string(what) + " in time");
}

std::optional<std::vector<std::uint64_t>> server::state::client_ids() {
    auto by_loop = std::make_shared<std::vector<std::vector<std::uint64_t>>>(loops.size());
    const bool is_answered =
        on_every_loop([by_loop](unsigned index, broker::broker& broker, moment) {
            (*by_loop)[index] = broker.client_ids();
        });
    if (!is_answered) return std::nullopt;
    std::vector<std::uint64_t> all;
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
    if (state_->is_shut_down) return std::move(made.caller); // Its other end is closed.
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
    {
        // In nats-server's words: whoever spreads clients over servers has to pass this one by.
        const std::lock_guard seen_guard(its.seen.lock);
        its.seen.server.not_ready = "failed to be ready for connections after 1ms: server";
    }
    if (const auto clients = its.client_ids(); clients && clients->empty()) {
        its.shut_down();
        return true;
    }
    its.have_every_loop(
        "told its clients to leave",
        [](unsigned, broker::broker& broker, moment now) { broker.announce_lame_duck(now); });
    its.deadline = net::steady_now() + its.options.lame_duck_grace_period;
    return true;
}

bool server::is_lame_duck() const noexcept { return state_->lame_duck; }

std::optional<steady_time> server::next_deadline() const noexcept { return state_->deadline; }

void server::expire(steady_time now) {
    auto& its = *state_;
    const std::lock_guard guard(its.administration);
    if (its.is_shut_down || !its.deadline || now < *its.deadline) return;
    if (!its.leaving) {
        auto clients = its.client_ids();
        if (!clients) { // A loop is late.
            its.deadline = net::steady_now() + limits::loop_deadline;
            return;
        }
        its.log.info("Closing existing clients");
        its.leaving.emplace(std::move(*clients),
                            its.options.lame_duck_duration - its.options.lame_duck_grace_period,
                            its.random);
    }
    const auto next = its.leaving->next_group();
    const std::vector<std::uint64_t> group(next.begin(), next.end());
    its.have_every_loop("closed connections", [group](unsigned, broker::broker& broker, moment at) {
        broker.close_sessions(group, broker::close_reason::server_shutdown, at);
    });
    if (its.leaving->done()) {
        its.deadline.reset();
        return its.shut_down();
    }
    its.deadline = now + its.leaving->next_pause(its.random);
}

void server::shut_down() {
    state_->is_ending = true; // Also who has the lock does not wait any more.
    const std::lock_guard guard(state_->administration);
    state_->shut_down();
}

bool server::is_shut_down() const noexcept { return state_->is_shut_down; }

logger server::log() const {
    const std::lock_guard guard(state_->administration);
    return state_->log;
}

} // namespace pipit::server
