// SPDX-License-Identifier: Apache-2.0
// A program of somebody else with an event loop of its own, and a thread without one: both ask a
// service on a server in the same process.
#include <pipit/client.hpp>
#include <pipit/server.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdio>
#include <string>

namespace asio = boost::asio;

namespace {

int answers = 0;

asio::awaitable<void> ask(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    pipit::connection nats(executor, {.servers = {url}});
    const auto connected = co_await nats.connect(asio::use_awaitable);
    connected.value();
    const auto greeting = co_await nats.request("greet", "joe", asio::use_awaitable);
    if (greeting.value().payload() == "hello, joe") ++answers;
    const auto nobody = co_await nats.request("nobody", "", asio::use_awaitable);
    if (!nobody && nobody.error() == pipit::errc::no_responders) ++answers;
}

} // namespace

int main() {
    const auto server = pipit::embedded_server::start().value();
    pipit::blocking_connection service({.servers = {server->url()}});
    service.connect().value();
    const auto greets = service.subscribe("greet", [&](const pipit::message& request) {
        (void)service.respond(request, "hello, " + std::string(request.payload()));
    });
    greets.value();
    service.flush().value();

    asio::io_context io;
    asio::co_spawn(io, ask(server->url()), asio::detached);
    io.run_for(std::chrono::seconds(30));
    std::printf("%d of 2 answers\n", answers);
    return answers == 2 ? 0 : 1;
}
