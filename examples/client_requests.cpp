// SPDX-License-Identifier: Apache-2.0
// A service that answers by a callback, and who asks it: client_requests [url].
#include <pipit/client.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <exception>

namespace asio = boost::asio;

asio::awaitable<void> ask(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    pipit::connection nats(executor, {.servers = {url}});
    auto connected = co_await nats.connect(asio::use_awaitable);
    connected.value();

    // The queue group lets several programs share the work.
    const pipit::subscribe_options shared{.queue = "workers"};
    const auto answer = [&nats](pipit::message request) {
        const auto text = std::string(request.payload());
        (void)nats.respond(request, "hello " + text);
    };
    auto service = nats.subscribe("greet", answer, shared).value();

    auto reply = co_await nats.request("greet", "joe", asio::use_awaitable);
    std::printf("%s\n", std::string(reply.value().payload()).c_str());

    auto nobody = co_await nats.request("nobody.home", "", asio::use_awaitable);
    std::printf("%s\n", nobody.error().message().c_str());

    // Everything that is on its way is answered and sent; then the connection closes.
    auto drained = co_await nats.drain(asio::use_awaitable);
    drained.value();
}

int main(int argument_count, char** arguments) {
    const std::string url = argument_count > 1 ? arguments[1] : "nats://127.0.0.1:4222";
    int status = 0;
    asio::io_context io;
    asio::co_spawn(io, ask(url), [&](std::exception_ptr thrown) {
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
