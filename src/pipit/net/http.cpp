// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/http.hpp>

#include <pipit/net/detail/http_connections.hpp>
#include <pipit/net/tcp.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <thread>
#include <utility>

namespace pipit::net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// When no connection can be accepted (no descriptors left), the next try waits this long.
constexpr std::chrono::milliseconds accept_pause{100};

/// Ends the connection that matters least: one that has its answer, or else the one that has been
/// waiting longest for its next request. False: all are being answered.
bool make_room(detail::http_connections& connections) {
    const auto least = std::ranges::min_element(
        connections.open, {},
        [](const detail::http_connection_base* each) { return each->rank(); });
    if (least == connections.open.end()) return false;
    if ((*least)->rank().first == detail::http_connection_base::state::writing) return false;
    (*least)->give_way();
    return true;
}

} // namespace

struct http_server::state {
    state(http_server_options what, http_handler how)
        : options(std::move(what)), handler(std::move(how)) {}

    result<> bind() {
        auto listener = listen_tcp(options.host, options.port);
        if (!listener) return listener.error();
        port = local_port(*listener);
        // The family is not asked for any more once a socket listens.
        acceptor.assign(tcp::v6(), listener->release());
        return {};
    }

    void accept() {
        acceptor.async_accept([this](const error_code& failed, tcp::socket socket) {
            if (failed == asio::error::operation_aborted) return;
            if (failed) return accept_later();
            // Where there is no room, the socket is closed by the end of its life.
            if (connections.open.size() < options.max_connections || make_room(connections)) {
                begin(std::move(socket));
            }
            accept();
        });
    }

    void begin(tcp::socket socket) {
        const detail::http_surroundings its{options, handler, connections, seen};
        if (!options.tls) return detail::begin_plain_http(std::move(socket), its);
        if (const auto tls = options.tls()) {
            detail::begin_secure_http(std::move(socket), *tls, its);
        }
    }

    void accept_later() {
        pause.expires_after(accept_pause);
        pause.async_wait([this](const error_code& failed) {
            if (!failed) accept();
        });
    }

    http_server_options options;
    http_handler handler;
    detail::http_connections connections; // Outlives the context, which ends them.
    asio::io_context context{1};
    tcp::acceptor acceptor{context};
    asio::steady_timer pause{context};
    std::shared_ptr<detail::http_thread> seen = std::make_shared<detail::http_thread>(context);
    std::uint16_t port = 0;
    std::thread thread;
};

result<std::unique_ptr<http_server>> http_server::listen(http_server_options options,
                                                         http_handler handler) {
    auto made = std::make_unique<state>(std::move(options), std::move(handler));
    if (const auto bound = made->bind(); !bound) return bound.error();
    made->accept();
    made->thread = std::thread([&context = made->context] { context.run(); });
    return std::unique_ptr<http_server>(new http_server(std::move(made)));
}

http_server::http_server(std::unique_ptr<state> made) : state_(std::move(made)) {}

http_server::~http_server() {
    state_->context.stop();
    state_->thread.join();
    state_->seen->end();
}

std::uint16_t http_server::port() const noexcept { return state_->port; }

} // namespace pipit::net
