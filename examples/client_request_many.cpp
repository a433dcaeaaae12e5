// SPDX-License-Identifier: Apache-2.0
// One request, many answers: client_request_many [url].
#include <pipit/client.hpp>

#include <cstdio>
#include <string>

int main(int argument_count, char** arguments) {
    const std::string url = argument_count > 1 ? arguments[1] : "nats://127.0.0.1:4222";
    pipit::blocking_connection nats({.servers = {url}});
    if (const auto connected = nats.connect(); !connected) {
        std::fprintf(stderr, "%s\n", connected.error().message().c_str());
        return 1;
    }

    const auto answer_as = [&nats](std::string name) {
        return [&nats, name](pipit::message question) { (void)nats.respond(question, name); };
    };
    auto first = nats.subscribe("who", answer_as("joe")).value();
    auto second = nats.subscribe("who", answer_as("sue")).value();

    // All that come within a second, as long as the next one comes within 100 ms.
    using namespace std::chrono_literals;
    const auto answers = nats.request_many("who", "", {.timeout = 1s, .stall = 100ms}).value();
    for (const auto& answer : answers) {
        std::printf("%s\n", std::string(answer.payload()).c_str());
    }
    return answers.size() == 2 ? 0 : 1;
}
