// SPDX-License-Identifier: Apache-2.0
// The protocol in an event loop of your own: several connections, one `poll`.
//
//   sans_io_poll nats://127.0.0.1:4222
//
// One connection answers requests to `double`, three others send ten requests each.
#include "sockets.hpp"

#include <pipit/protocol.hpp>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

using namespace pipit;

namespace {

steady_time now() { return std::chrono::steady_clock::now(); }

/// One connection in the loop. What it is for is decided by who derives from it.
class participant {
public:
    participant(const server_address& server, const char* name)
        : client(options_for(server, name), random_source(std::random_device()())) {
        client.start(now());
    }
    virtual ~participant() = default;

    /// What `poll` shall wait for; also hands over the time.
    pollfd wait_for() {
        if (const auto deadline = client.next_deadline(); deadline && *deadline <= now()) {
            client.expire(now());
        }
        handle_events();
        const auto writes = client.pending_output().empty() ? 0 : POLLOUT;
        return {socket_.descriptor(), static_cast<short>(POLLIN | writes), 0};
    }
    void handle_readiness(short ready) {
        if ((ready & POLLOUT) != 0) send();
        if ((ready & (POLLIN | POLLHUP | POLLERR)) != 0 && socket_.is_open()) receive();
        handle_events();
    }
    [[nodiscard]] steady_time deadline() const {
        return client.next_deadline().value_or(steady_time::max());
    }
    [[nodiscard]] bool is_closed() const { return client.is_closed(); }

protected:
    virtual void begin() = 0;
    virtual void hear(const protocol::message_received& message) = 0;

    client_protocol client;

private:
    static client_options options_for(const server_address& server, const char* name) {
        return {.servers = {server}, .name = name};
    }

    void handle_events() {
        while (const auto event = client.next_event()) {
            std::visit([&](const auto& what) { handle(what); }, *event);
        }
    }
    void handle(const protocol::open_requested& request) {
        socket_ = examples::open_socket(request.server);
        if (socket_.is_open()) {
            client.transport_opened(now());
        } else {
            client.transport_closed(now());
        }
    }
    void handle(const protocol::connect_requested&) { client.connect({}); }
    void handle(const protocol::connected& what) {
        if (!what.again) begin(); // Subscriptions survive a reconnect.
    }
    void handle(const protocol::message_received& message) { hear(message); }
    void handle(const protocol::disconnected& lost) {
        std::fprintf(stderr, "disconnected: %s\n", lost.why.message().c_str());
        socket_.close();
    }
    void handle(const auto&) {}

    void send() {
        const auto sent = socket_.send(client.pending_output());
        if (sent < 0) return client.transport_closed(now());
        client.consume_output(static_cast<std::size_t>(sent));
    }
    void receive() {
        const auto received = socket_.receive(client.prepare());
        if (received <= 0) return client.transport_closed(now());
        client.commit(static_cast<std::size_t>(received), now());
    }

    examples::tcp_socket socket_;
};

int number_in(bytes_view text) {
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

class responder : public participant {
public:
    explicit responder(const server_address& server) : participant(server, "responder") {}

private:
    void begin() override { client.subscribe("double", "workers").value(); }
    void hear(const protocol::message_received& request) override {
        const auto answer = std::to_string(2 * number_in(request.payload));
        client.publish({.subject = request.reply, .payload = answer}).value();
    }
};

class requester : public participant {
public:
    requester(const server_address& server, int first)
        : participant(server, "requester"), next_(first), end_(first + 10), inbox_(make_inbox()) {}

    [[nodiscard]] bool is_done() const { return next_ == end_; }

private:
    static std::string make_inbox() {
        protocol::nuid names(std::random_device{}());
        return protocol::make_inbox(names);
    }
    void begin() override {
        client.subscribe(inbox_).value();
        request();
    }
    void hear(const protocol::message_received& answer) override {
        // Headers without a payload: the server's "503", nobody was there to answer yet.
        if (answer.headers.empty()) {
            std::printf("2 * %d = %d\n", next_, number_in(answer.payload));
            ++next_;
        }
        if (!is_done()) request();
    }
    void request() {
        const auto payload = std::to_string(next_);
        client.publish({.subject = "double", .reply = inbox_, .payload = payload}).value();
    }

    int next_;
    int end_;
    std::string inbox_;
};

/// Until `is_done`, or until one of them has given up.
template <class Done>
bool run_loop(const std::vector<std::unique_ptr<participant>>& participants, const Done& is_done) {
    std::vector<pollfd> waiting;
    while (!is_done()) {
        waiting.clear();
        auto deadline = steady_time::max();
        for (const auto& one : participants) {
            waiting.push_back(one->wait_for());
            if (one->is_closed()) return false;
            deadline = std::min(deadline, one->deadline());
        }
        ::poll(waiting.data(), waiting.size(), examples::milliseconds_for_poll(deadline - now()));
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            participants[i]->handle_readiness(waiting[i].revents);
        }
    }
    return true;
}

} // namespace

int main(int argc, char** argv) {
    const auto server = parse_server_url(argc > 1 ? argv[1] : "nats://127.0.0.1:4222");
    if (!server) {
        std::fprintf(stderr, "%s\n", server.error().message().c_str());
        return 2;
    }
    std::vector<std::unique_ptr<participant>> participants;
    std::vector<const requester*> requesters;
    participants.push_back(std::make_unique<responder>(*server));
    for (const int first : {1, 100, 1000}) {
        auto one = std::make_unique<requester>(*server, first);
        requesters.push_back(one.get());
        participants.push_back(std::move(one));
    }
    const auto is_done = [&] {
        return std::all_of(requesters.begin(), requesters.end(),
                           [](const auto* one) { return one->is_done(); });
    };
    return run_loop(participants, is_done) ? 0 : 1;
}
