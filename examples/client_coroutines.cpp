// SPDX-License-Identifier: Apache-2.0
// Publishes and subscribes in coroutines: client_coroutines [url].
#include <pipit/client.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <exception>

namespace asio = boost::asio;

asio::awaitable<void> listen_and_talk(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    pipit::connection nats(executor, {.servers = {url}, .name = "example"});
    auto connected = co_await nats.connect(asio::use_awaitable);
    connected.value(); // Throws what went wrong.

    auto greetings = nats.subscribe("greet.*").value();
    for (const auto* name : {"joe", "sue"}) {
        nats.publish(std::string("greet.") + name, "hello").value();
    }
    for (int i = 0; i < 2; ++i) {
        auto next = co_await greetings.next(asio::use_awaitable);
        const auto& message = next.value();
        std::printf("%s: %s\n", std::string(message.subject()).c_str(),
                    std::string(message.payload()).c_str());
    }
}

int main(int argument_count, char** arguments) {
    const std::string url = argument_count > 1 ? arguments[1] : "nats://127.0.0.1:4222";
    int status = 0;
    asio::io_context io;
    asio::co_spawn(io, listen_and_talk(url), [&](std::exception_ptr thrown) {
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (const std::exception& why) {
            std::fprintf(stderr, "%s\n", why.what());
            status = 1;
        }
    });
    io.run();
    return status;
}
