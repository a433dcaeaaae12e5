// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/limits.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/host_port.hpp>
#include <pipit/server/reserved_listeners.hpp>

#include <algorithm>
#include <array>
#include <list>
#include <string>
#include <sys/socket.h>

namespace pipit::server {
namespace {

struct listener_traits {
    std::string_view key; ///< In the ports file.
    std::string_view scheme;
    std::string_view name;
    std::string_view ready;  ///< What is logged before the address.
    std::string_view failed; ///< What is logged before the reason.
    bool speaks_http;
};

listener_traits traits_of(listener_kind kind) noexcept {
    switch (kind) {
    case listener_kind::cluster:
        return {"cluster",
                "nats",
                "Clusters",
                "Listening for route connections on ",
                "Error listening on router port: ",
                false};
    case listener_kind::gateway:
        return {"gateway",
                "nats",
                "Gateways",
                "Listening for gateways connections on ",
                "Error listening on gateway port: ",
                false};
    case listener_kind::leafnodes:
        return {"leafnodes",
                "nats",
                "Leaf nodes",
                "Listening for leafnode connections on ",
                "Error listening on leafnode port: ",
                false};
    case listener_kind::mqtt:
        return {"mqtt",
                "mqtt",
                "MQTT clients",
                "Listening for MQTT clients on mqtt://",
                "Unable to listen for MQTT connections: ",
                false};
    case listener_kind::profile:
        return {
            "profile", "http", "Profiles", "profiling port: ", "error starting profiler: ", true};
    }
    return {};
}

std::string refusal(const listener_traits& traits) {
    const auto text = std::string(traits.name) + " are not supported yet by this server";
    if (!traits.speaks_http) return "-ERR '" + text + "'\r\n";
    return "HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain\r\nContent-Length: " +
           std::to_string(text.size() + 1) + "\r\nConnection: close\r\n\r\n" + text + "\n";
}

} // namespace

/// Waits until those who have been told close, so that the text reaches them.
class reserved_listeners::courtesy {
public:
    explicit courtesy(net::event_loop& loop) : loop_(loop) {}

    void tell(net::socket_handle socket, std::string_view text) {
        // The socket is fresh: a short text always fits.
        (void)::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
        ::shutdown(socket.get(), SHUT_WR);
        if (told_.size() == limits::told_connections) told_.pop_front();
        told_.emplace_back(*this, std::move(socket));
    }

private:
    class told_one final : public net::transport_user {
    public:
        told_one(courtesy& of, net::socket_handle socket)
            : of_(of), transport_(net::make_tcp_transport(of.loop_, std::move(socket), *this)) {
            transport_->wait_readable();
        }
        void on_readable() override {
            std::array<char, 4096> ignored;
            const auto status = transport_->read({}, ignored).status;
            if (status == net::io_status::closed || status == net::io_status::failed) {
                of_.told_.remove_if([this](const told_one& one) { return &one == this; });
            } else {
                transport_->wait_readable();
            }
        }
        void on_writable() override {}

    private:
        courtesy& of_;
        net::transport_pointer transport_;
    };

    net::event_loop& loop_;
    std::list<told_one> told_;
};

reserved_listeners::reserved_listeners(net::event_loop& loop)
    : loop_(loop), courtesy_(std::make_unique<courtesy>(loop)) {}
reserved_listeners::~reserved_listeners() = default;

result<> reserved_listeners::listen(const reserved_listener& wanted, std::string_view clients_host,
                                    const logger& log) {
    const auto traits = traits_of(wanted.kind);
    const auto host = std::string(wanted.host.empty() ? clients_host : wanted.host);
    const auto port = static_cast<std::uint16_t>(std::max(wanted.port, 0)); // -1: any.
    auto socket = net::listen_tcp(host, port);
    if (!socket) {
        return error(socket.error().code(),
                     std::string(traits.failed) + std::string(socket.error().detail()));
    }
    const auto real_port = net::local_port(*socket);
    const auto is_profile = wanted.kind == listener_kind::profile;
    log.info(std::string(traits.ready) +
             (is_profile ? std::to_string(real_port) : join_host_port(host, real_port)));
    places_.push_back({std::string(traits.key), std::string(traits.scheme),
                       net::local_address(*socket), real_port});
    acceptors_.push_back(std::make_unique<net::tcp_acceptor>(
        loop_, std::move(*socket), std::string(traits.name), log,
        [this, text = refusal(traits)](net::accepted_socket accepted) {
            courtesy_->tell(std::move(accepted.socket), text);
        }));
    return {};
}

} // namespace pipit::server
