// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/http.hpp>

#include <pipit/net/detail/event_loop_state.hpp>
#include <pipit/net/detail/http_connections.hpp>
#include <pipit/net/tcp.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <thread>
#include <utility>

namespace pipit::net {

using asio::ip::tcp;

namespace {

using detail::http_connection_base;

/// Ends the connection that matters least. The party that has most connections, the coming one
/// counted, loses one that has its answer, or else the one that has waited longest for its next
/// request. False: all of its connections are being answered, and the coming party has as many.
bool make_room_for(party coming, const detail::http_connections& connections) {
    std::map<party, std::size_t> count{{coming, 1}};
    for (const auto* each : connections.open) ++count[each->from()];
    const auto least = std::ranges::max_element(
        connections.open, [&](const http_connection_base* one, const http_connection_base* other) {
            const auto of_one = count[one->from()], of_other = count[other->from()];
            return of_one != of_other ? of_one < of_other : one->rank() > other->rank();
        });
    if (least == connections.open.end()) return false;
    const bool is_answered = (*least)->rank().first == http_connection_base::state::writing;
    if (is_answered && count[(*least)->from()] <= count[coming]) return false;
    (*least)->give_way();
    return true;
}

} // namespace

struct http_server::state {
    state(http_server_options what, http_handler how)
        : options(std::move(what)), handler(std::move(how)) {}

    result<> begin() {
        auto listener = listen_tcp(options.host, options.port);
        if (!listener) return listener.error();
        port = local_port(*listener);
        address = local_address(*listener);
        acceptor.emplace(events, std::move(*listener), options.name, options.log,
                         [this](accepted_socket one) { take(std::move(one)); });
        thread = std::thread([this] { events.run(); });
        return {};
    }

    /// Where there is no room, the socket is closed by the end of its life.
    void take(accepted_socket accepted) {
        const party from(accepted.ip);
        if (connections.open.size() >= options.max_connections &&
            !make_room_for(from, connections)) {
            return;
        }
        tcp::socket socket(events.internals().context);
        // The family is not asked for any more once a socket is connected.
        error_code failed;
        socket.assign(tcp::v6(), accepted.socket.get(), failed);
        if (failed) return;
        (void)accepted.socket.release();
        const detail::http_dependencies its{options, handler, connections, seen};
        if (!options.tls) return detail::begin_plain_http(std::move(socket), from, its);
        if (const auto tls = options.tls()) {
            detail::begin_secure_http(std::move(socket), from, *tls, its);
        }
    }

    http_server_options options;
    http_handler handler;
    detail::http_connections connections; // Outlives the loop, which ends them.
    event_loop events;
    std::optional<tcp_acceptor> acceptor;
    std::shared_ptr<detail::http_thread> seen =
        std::make_shared<detail::http_thread>(events.internals().context);
    std::uint16_t port = 0;
    std::string address;
    std::thread thread;
};

result<std::unique_ptr<http_server>> http_server::listen(http_server_options options,
                                                         http_handler handler) {
    auto made = std::make_unique<state>(std::move(options), std::move(handler));
    if (const auto begun = made->begin(); !begun) return begun.error();
    return std::unique_ptr<http_server>(new http_server(std::move(made)));
}

http_server::http_server(std::unique_ptr<state> made) : state_(std::move(made)) {}

http_server::~http_server() {
    state_->events.stop();
    state_->thread.join();
    state_->seen->end();
}

std::uint16_t http_server::port() const noexcept { return state_->port; }

const std::string& http_server::address() const noexcept { return state_->address; }

} // namespace pipit::net
