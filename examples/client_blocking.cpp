// SPDX-License-Identifier: Apache-2.0
// A program without an event loop: client_blocking [url].
#include <pipit/client.hpp>

#include <cstdio>
#include <string>

int main(int argument_count, char** arguments) {
    const std::string url = argument_count > 1 ? arguments[1] : "nats://127.0.0.1:4222";
    pipit::blocking_connection nats({.servers = {url}, .name = "example"});
    if (const auto connected = nats.connect(); !connected) {
        std::fprintf(stderr, "%s\n", connected.error().message().c_str());
        return 1;
    }
    auto numbers = nats.subscribe("numbers", {.messages_max = 3}).value();
    for (const auto* number : {"one", "two", "three"}) nats.publish("numbers", number).value();
    for (const auto& message : numbers) {
        std::printf("%s\n", std::string(message.payload()).c_str());
    }
    nats.drain().value();
    return 0;
}
