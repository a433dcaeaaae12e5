// SPDX-License-Identifier: Apache-2.0
// A server that is about to stop is left when what is under way has ended.
#include <support/client_world.hpp>

#include <pipit/client/chunked.hpp>

#include <boost/asio/steady_timer.hpp>

#include <future>
#include <optional>
#include <string>
#include <vector>

namespace pipit::client {
namespace {

using namespace support;

/// Tells its client that it will stop while a request is under way, and answers only after the
/// client has published what follows from it.
class duck {
public:
    explicit duck(std::string other)
        : server_([this, other = std::move(other)](false_server::peer& client) {
              client.greet();
              const auto request = client.read_until("PUB ask ");
              const auto reply = client.read_until("\r\n\r\n");
              client.send("INFO {\"server_id\":\"F\",\"headers\":true,\"max_payload\":1000,"
                          "\"ldm\":true,\"connect_urls\":[\"" +
                          other + "\"]} \r\n");
              client.read_until("PUB told ");
              client.send("MSG " + reply.substr(0, reply.find(' ')) + " 1 2\r\nhi\r\n");
              client.read_until("UNSUB 1\r\nPING\r\n");
              client.send("PONG\r\n");
              client.wait_until_gone();
              left_.set_value();
          }) {}

    [[nodiscard]] connection_options options() const {
        connection_options out{.servers = {server_.url()}};
        out.reconnect_wait = out.reconnect_jitter = 5ms;
        return out;
    }
    void wait_until_left() { left_.get_future().wait(); }

private:
    std::promise<void> left_;
    false_server server_;
};

std::string name_of(const embedded_server& server) { return server.url().substr(7); }

TEST(LameDuck, IsLeftByAConnectionWhenItHasAnswered) {
    const auto other = start_server();
    duck server(name_of(*other));
    asio::io_context io;
    auto options = server.options();
    connection* user = nullptr;
    std::vector<std::string> discovered;
    int lame_ducks = 0;
    options.on_event = [&](const connection_event& what) {
        const auto* const named = std::get_if<event::servers_discovered>(&what);
        if (named != nullptr) discovered = named->servers;
        if (!std::holds_alternative<event::lame_duck>(what)) return;
        ++lame_ducks;
        user->publish("told", "").value();
    };
    connection nats(io.get_executor(), options);
    user = &nats;
    std::optional<result<message>> answer;
    nats.connect([&](const result<>& connected) {
        connected.value();
        nats.request("ask", "", [&](result<message> what) { answer = std::move(what); });
    });
    run_until(io, [&] { return answer && nats.connected_server() == name_of(*other); });
    EXPECT_EQ(answer->value().payload(), "hi");
    EXPECT_EQ(discovered, std::vector{name_of(*other)});
    EXPECT_EQ(lame_ducks, 1);
    server.wait_until_left();
}

TEST(LameDuck, IsLeftByABlockingConnectionWhenItHasAnswered) {
    const auto other = start_server();
    duck server(name_of(*other));
    auto options = server.options();
    blocking_connection* user = nullptr;
    std::promise<void> moved;
    options.on_event = [&](const connection_event& what) {
        if (std::holds_alternative<event::lame_duck>(what)) user->publish("told", "").value();
        const auto* const connected = std::get_if<event::connected>(&what);
        if (connected != nullptr && connected->again) moved.set_value();
    };
    blocking_connection nats(std::move(options));
    user = &nats;
    nats.connect().value();
    EXPECT_EQ(nats.request("ask", "").value().payload(), "hi");
    moved.get_future().wait();
    EXPECT_EQ(nats.connected_server(), name_of(*other));
    server.wait_until_left();
}

std::string transfer_message(const std::string& to, const std::string& control) {
    const auto header = "NATS/1.0\r\nPipit-Transfer: " + control + "\r\n\r\n";
    const auto size = std::to_string(header.size());
    return "HMSG " + to + " 1 peer " + size + ' ' + size + "\r\n" + header + "\r\n";
}

asio::awaitable<void> write_late(connection& nats, const std::string& other) {
    co_await connect(nats);
    const transfer_options usual;
    auto opened = co_await open_stream(nats, "svc", usual, asio::use_awaitable);
    auto& stream = opened.value();
    // By then it would have been left.
    asio::steady_timer timer(nats.get_executor(), 2100ms);
    co_await timer.async_wait(asio::use_awaitable);
    auto written = co_await stream.write("late", asio::use_awaitable);
    written.value();
    auto finished = co_await stream.finish(asio::use_awaitable);
    finished.value();
    auto end = co_await stream.read(asio::use_awaitable);
    EXPECT_FALSE(end.value());
    while (nats.connected_server() != other) {
        timer.expires_after(1ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

TEST(LameDuck, IsLeftWhenTheTransfersHaveEnded) {
    const auto other = start_server();
    const false_server server([&](false_server::peer& client) {
        client.greet();
        client.read_until("SUB ");
        auto inbox = client.read_until(" 1\r\n");
        inbox.resize(inbox.size() - 4);
        client.read_until("Pipit-Transfer: open 1 ");
        client.send(transfer_message(inbox, "accept 1000000") +
                    "INFO {\"server_id\":\"F\",\"headers\":true,\"ldm\":true,"
                    "\"connect_urls\":[\"" +
                    name_of(*other) + "\"]} \r\n");
        const auto until_the_end = client.read_until("Pipit-Transfer: end ");
        EXPECT_EQ(until_the_end.find("UNSUB"), std::string::npos);
        client.send(transfer_message(inbox, "end 0 0"));
        client.read_until("PING\r\n");
        client.send("PONG\r\n");
        client.wait_until_gone();
    });
    asio::io_context io;
    connection nats(io.get_executor(), {.servers = {server.url()}, .randomize_servers = false});
    run(io, write_late(nats, name_of(*other)));
}

} // namespace
} // namespace pipit::client
