// SPDX-License-Identifier: Apache-2.0
// A NATS server in a program of somebody else, reached without a socket.
#include <pipit/server.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

int main() {
    using namespace std::chrono_literals;
    const auto server = pipit::embedded_server::start({.listens = false}).value();
    auto connection = server->connect();
    const auto sent = connection.write("CONNECT {\"verbose\":false}\r\nSUB greet.* 1\r\n"
                                       "PUB greet.joe 5\r\nhello\r\nPING\r\n",
                                       10s);
    if (!sent) return 1;
    std::string received;
    std::array<char, 4096> buffer{};
    while (received.find("PONG\r\n") == std::string::npos) {
        const auto count = connection.read_some(buffer, 10s);
        if (!count || *count == 0) return 1;
        received.append(buffer.data(), *count);
    }
    if (received.find("MSG greet.joe 1 5\r\nhello\r\n") == std::string::npos) return 1;

    const auto refused = pipit::embedded_server::start({.configuration = "port: nowhere"});
    if (refused) return 1;
    std::printf("hello came back; %s\n", refused.error().message().c_str());
    return 0;
}
