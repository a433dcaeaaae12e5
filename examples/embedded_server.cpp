// SPDX-License-Identifier: Apache-2.0
// A server inside a program, and two who talk through it: one by TCP, one without a port.
#include <pipit/client.hpp>
#include <pipit/server.hpp>

#include <chrono>
#include <cstdio>
#include <string>

int main() {
    auto server = pipit::embedded_server::start({.configuration = "max_payload: 2MB"}).value();
    std::printf("listening on %s\n", server->url().c_str()); // nats://127.0.0.1:43211

    pipit::blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto orders = nats.subscribe("orders").value();
    nats.flush().value();

    auto inside = server->connect(); // No port at all: the protocol, as bytes.
    const std::chrono::seconds patience(10);
    inside.write("CONNECT {}\r\nPUB orders 5\r\nhello\r\n", patience).value();
    const auto order = orders.next(patience).value();
    std::printf("%s: %s\n", std::string(order.subject()).c_str(),
                std::string(order.payload()).c_str());
    return order.payload() == "hello" ? 0 : 1;
}
