// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/random_bytes.hpp>
#include <pipit/server/config_language.hpp>
#include <pipit/server/embedded_server.hpp>
#include <pipit/server/host_port.hpp>
#include <pipit/server/server.hpp>
#include <pipit/server/system_config_source.hpp>

#include <utility>

namespace pipit::server {
namespace {

constexpr auto configuration_name = "configuration"; ///< In messages, instead of a file's name.

result<loaded_options> load(const embedded_server_options& wanted,
                            const std::string& configuration) {
    server_options base;
    base.host = wanted.host;
    base.port = wanted.port;
    base.loops = wanted.loops;
    const auto map = parse_config(configuration, configuration_name, system_config_source());
    if (!map) return map.error();
    auto loaded = options_from_config(*map, std::move(base));
    if (!loaded) return loaded;
    apply_defaults(loaded->options);
    if (const auto valid = validate_options(loaded->options); !valid) return valid.error();
    return loaded;
}

} // namespace

struct embedded_server::state {
    embedded_server_options options;
    std::string configuration; ///< What the next reload is to read.
    std::unique_ptr<class server> running;
};

result<std::unique_ptr<embedded_server>> embedded_server::start(embedded_server_options options) {
    auto parts = std::make_unique<state>();
    parts->options = std::move(options);
    auto& its = parts->options;
    auto loaded = load(its, its.configuration);
    if (!loaded) return loaded.error();

    server_setup setup;
    setup.loaded = std::move(*loaded);
    setup.plan_reload = [&made = *parts](const server_options& current) -> result<reload_plan> {
        auto next = load(made.options, made.configuration);
        if (!next) return next.error();
        auto changes = reload_difference(current, next->options);
        if (!changes) return changes.error();
        return reload_plan{std::move(*next), std::move(*changes), "Reloaded server configuration"};
    };
    setup.sink = std::make_shared<log_sink>(its.log ? its.log : [](log_level, std::string_view) {});
    setup.seed = net::draw_seed();
    setup.policy = its.policy;
    setup.listens = its.listens;
    setup.owns_process = false;
    auto running = server::server::start(std::move(setup));
    if (!running) return running.error();
    parts->running = std::move(*running);
    return std::unique_ptr<embedded_server>(new embedded_server(std::move(parts)));
}

embedded_server::embedded_server(std::unique_ptr<state> parts) : state_(std::move(parts)) {}
embedded_server::~embedded_server() = default;

std::string embedded_server::url() const {
    if (port() == 0) return {};
    return state_->running->scheme() + "://" + join_host_port(state_->options.host, port());
}

std::uint16_t embedded_server::port() const noexcept { return state_->running->port(); }

std::uint16_t embedded_server::websocket_port() const noexcept {
    return state_->running->websocket_port();
}

in_process_connection embedded_server::connect() { return state_->running->connect(); }

result<> embedded_server::reload(std::string configuration) {
    state_->configuration = std::move(configuration);
    return state_->running->reload();
}

} // namespace pipit::server
