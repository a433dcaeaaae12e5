// SPDX-License-Identifier: Apache-2.0
// The protocol without any event loop: one socket, blocking calls.
//
//   sans_io_blocking nats://127.0.0.1:4222
//
// Subscribes to `greetings.*`, greets three times, prints what arrives, and ends.
#include "sockets.hpp"

#include <pipit/protocol.hpp>

#include <chrono>
#include <cstdio>
#include <random>

using namespace pipit;

namespace {

steady_time now() { return std::chrono::steady_clock::now(); }

class blocking_client {
public:
    explicit blocking_client(client_options options)
        : client_(std::move(options), random_source(std::random_device()())) {
        client_.start(now());
    }

    /// Until everything is heard or the connection is over.
    bool run() {
        while (!client_.is_closed() && heard_ < 3) {
            handle_events();
            send_pending_output();
            receive();
        }
        client_.close();
        return heard_ == 3;
    }

private:
    void handle_events() {
        while (const auto event = client_.next_event()) {
            std::visit([&](const auto& what) { handle(what); }, *event);
        }
    }

    void handle(const protocol::open_requested& request) {
        socket_ = examples::open_socket(request.server);
        if (socket_.is_open()) {
            client_.transport_opened(now());
        } else {
            client_.transport_closed(now());
        }
    }
    void handle(const protocol::connect_requested&) { client_.connect({}); }
    void handle(const protocol::connected&) {
        // Results say what went wrong; `value()` throws it.
        client_.subscribe("greetings.*").value();
        for (const auto* name : {"anna", "ben", "carl"}) {
            const auto subject = std::string("greetings.") + name;
            client_.publish({.subject = subject, .payload = "hello"}).value();
        }
    }
    void handle(const protocol::message_received& message) {
        std::printf("%.*s: %.*s\n", static_cast<int>(message.subject.size()),
                    message.subject.data(), static_cast<int>(message.payload.size()),
                    message.payload.data());
        ++heard_;
    }
    void handle(const protocol::disconnected& lost) {
        std::fprintf(stderr, "disconnected: %s\n", lost.why.message().c_str());
        socket_.close();
    }
    void handle(const auto&) {} // TLS is not for this example; the rest need not be known.

    void send_pending_output() {
        while (!client_.pending_output().empty()) {
            const auto sent = socket_.send(client_.pending_output());
            if (sent <= 0) return client_.transport_closed(now());
            client_.consume_output(static_cast<std::size_t>(sent));
        }
    }

    /// Waits for bytes or for the next deadline, whichever comes first.
    void receive() {
        if (client_.is_closed()) return;
        // Without pings (`ping_interval` 0) there may be no deadline: then for as long as it takes.
        const auto time = client_.next_deadline().value_or(steady_time::max()) - now();
        if (!examples::wait_readable(socket_, time)) return client_.expire(now());
        const auto space = client_.prepare();
        const auto received = socket_.receive(space);
        if (received <= 0) return client_.transport_closed(now());
        client_.commit(static_cast<std::size_t>(received), now());
        handle_events(); // The views end with the next `prepare()`.
    }

    client_protocol client_;
    examples::tcp_socket socket_;
    int heard_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    const auto server = parse_server_url(argc > 1 ? argv[1] : "nats://127.0.0.1:4222");
    if (!server) {
        std::fprintf(stderr, "%s\n", server.error().message().c_str());
        return 2;
    }
    return blocking_client({.servers = {*server}, .name = "sans_io_blocking"}).run() ? 0 : 1;
}
