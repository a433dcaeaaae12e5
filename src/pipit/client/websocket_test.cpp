// SPDX-License-Identifier: Apache-2.0
// The client through a WebSocket, against the server of this project.
#include <pipit/net/error.hpp>
#include <support/client_world.hpp>

namespace pipit::client {
namespace {

using namespace support;

std::unique_ptr<embedded_server> start_websocket_server(const std::string& more = "",
                                                        const std::string& outside = "") {
    return start_server({.configuration = "websocket { listen: \"127.0.0.1:-1\", no_tls: true, " +
                                          more + " }\n" + outside});
}

std::string url_of(const embedded_server& server, const std::string& path = "",
                   const std::string& user = "") {
    return "ws://" + user + "127.0.0.1:" + std::to_string(server.websocket_port()) + path;
}

TEST(WebSocketClient, DoesWhatItDoesWithoutOne) {
    const auto server = start_websocket_server("compression: true");
    for (const bool compression : {false, true}) {
        blocking_connection nats({.servers = {url_of(*server, "/below/a/prefix?a=b")},
                                  .websocket_compression = compression});
        nats.connect().value();
        auto messages = nats.subscribe("a").value();
        for (const std::size_t size : {0, 1, 125, 126, 4096, 65535, 65536, 900'000}) {
            std::string payload;
            for (std::size_t i = 0; i < size; ++i) payload += static_cast<char>(i * i % 251);
            nats.publish("a", payload).value();
            EXPECT_EQ(messages.next().value().payload(), payload) << size;
        }
        auto service = nats.subscribe("double", [&](message request) {
            const auto text = std::string(request.payload());
            EXPECT_TRUE(nats.respond(request, text + text));
        });
        EXPECT_EQ(nats.request("double", "ab").value().payload(), "abab");
        nats.drain().value();
    }
}

TEST(WebSocketClient, CarriesMoreThanOneReadHolds) {
    const auto server = start_websocket_server();
    blocking_connection nats({.servers = {url_of(*server)}});
    nats.connect().value();
    auto messages = nats.subscribe("a").value();
    constexpr int count = 20'000;
    for (int i = 0; i < count; ++i) nats.publish("a", std::to_string(i)).value();
    for (int i = 0; i < count; ++i) {
        ASSERT_EQ(messages.next().value().payload(), std::to_string(i));
    }
}

TEST(WebSocketClient, LogsInByItsUrl) {
    const auto server = start_websocket_server("authorization { user: web, password: s3cret }");
    blocking_connection nats({.servers = {url_of(*server, "/", "web:s3cret@")}});
    EXPECT_TRUE(nats.connect());
    blocking_connection stranger({.servers = {url_of(*server, "/")}, .reconnect = false});
    const auto refused = stranger.connect();
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("Authorization Violation"), std::string::npos)
        << refused.error().message();
}

TEST(WebSocketClient, SaysWhatTheServerAnsweredInstead) {
    const auto server = start_websocket_server();
    blocking_connection nats({.servers = {url_of(*server, "/mqtt")}, .reconnect = false});
    const auto refused = nats.connect();
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("the server answered: 404 Not Found"),
              std::string::npos)
        << refused.error().message();
    // A port of another protocol greets, and that is no answer.
    blocking_connection lost({.servers = {"ws://127.0.0.1:" + std::to_string(server->port())},
                              .connect_timeout = std::chrono::milliseconds(500),
                              .reconnect = false});
    EXPECT_FALSE(lost.connect());
}

TEST(WebSocketClient, ComesBackWhenTheServerDoes) {
    auto server = start_websocket_server();
    const auto port = server->websocket_port();
    blocking_connection nats(
        {.servers = {url_of(*server)}, .reconnect_wait = std::chrono::milliseconds(10)});
    nats.connect().value();
    auto messages = nats.subscribe("a").value();
    server.reset();
    server =
        start_server({.configuration = "websocket { listen: \"127.0.0.1:" + std::to_string(port) +
                                       "\", no_tls: true }\n"});
    for (int i = 0; i < 100 && !nats.flush(); ++i) {
    }
    nats.publish("a", "again").value();
    EXPECT_EQ(messages.next(std::chrono::seconds(10)).value().payload(), "again");
}

} // namespace
} // namespace pipit::client
