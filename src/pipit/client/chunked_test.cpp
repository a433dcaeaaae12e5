// SPDX-License-Identifier: Apache-2.0
#include <support/client_world.hpp>

#include <pipit/client/chunked.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fstream>
#include <future>
#include <optional>

namespace pipit::client {
namespace {

using namespace support;
using asio::awaitable;
using asio::use_awaitable;

/// Sends back what it is sent, as it comes.
awaitable<void> echo(connection& nats, message request, transfer_options options) {
    auto stream = accept_stream(nats, request, options).value();
    for (;;) {
        auto chunk = co_await stream.read(use_awaitable);
        if (!chunk) co_return;
        if (!*chunk) break;
        auto written = co_await stream.write((*chunk)->payload(), use_awaitable);
        if (!written) co_return;
    }
    auto finished = co_await stream.finish(use_awaitable);
    (void)finished;
}

auto echo_service(connection& nats, transfer_options options = {}) {
    return [&nats, options](message request) {
        asio::co_spawn(nats.get_executor(), echo(nats, std::move(request), options),
                       asio::detached);
    };
}

awaitable<void> write_all(chunk_stream& stream, std::size_t bytes, bool& done) {
    std::string piece(1'000'000, '\0');
    for (std::size_t sent = 0; sent < bytes;) {
        piece.resize(std::min(piece.size(), bytes - sent));
        for (std::size_t i = 0; i < piece.size(); ++i) {
            piece[i] = static_cast<char>((sent + i) * 31 % 251);
        }
        auto written = co_await stream.write(piece, use_awaitable);
        EXPECT_TRUE(written) << written.error().message();
        if (!written) break;
        sent += piece.size();
    }
    auto finished = co_await stream.finish(use_awaitable);
    EXPECT_TRUE(finished);
    done = true;
}

awaitable<std::size_t> read_all(chunk_stream& stream) {
    std::size_t received = 0;
    for (;;) {
        auto chunk = co_await stream.read(use_awaitable);
        EXPECT_TRUE(chunk) << chunk.error().message();
        if (!chunk || !*chunk) co_return received;
        bool is_right = true;
        for (const char c : (*chunk)->payload()) {
            is_right = is_right && c == static_cast<char>(received++ * 31 % 251);
        }
        EXPECT_TRUE(is_right);
    }
}

awaitable<void> send_and_receive(std::string url, std::size_t bytes) {
    const auto executor = co_await asio::this_coro::executor;
    connection asks(executor, {.servers = {url}});
    connection serves(executor, {.servers = {url}});
    co_await connect(asks);
    co_await connect(serves);
    auto service = serves.subscribe("echo", echo_service(serves));
    auto flushed = co_await serves.flush(use_awaitable);
    flushed.value();
    const transfer_options options;
    auto opened = co_await open_stream(asks, "echo", options, use_awaitable);
    auto& stream = opened.value();
    bool written = false;
    asio::co_spawn(executor, write_all(stream, bytes, written), asio::detached);
    const auto received = co_await read_all(stream);
    EXPECT_EQ(received, bytes);
    EXPECT_TRUE(written);
}

TEST(Chunked, CarriesNothingAndAnything) {
    const auto server = start_server();
    for (const std::size_t bytes : {0, 1, 128 * 1024, 128 * 1024 + 1, 5'000'000}) {
        run(send_and_receive(server->url(), bytes));
    }
}

std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t all = 0;
    std::size_t resident = 0;
    statm >> all >> resident;
    return resident * 4096;
}

TEST(Chunked, CarriesAHundredMegabytesInLittleMemory) {
    const auto server = start_server();
    run(send_and_receive(server->url(), 5'000'000));
    const auto before = resident_bytes();
    run(send_and_receive(server->url(), 100'000'000));
    // Sanitizers keep freed memory for a while.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(resident_bytes(), before + 50'000'000);
#else
    EXPECT_LT(resident_bytes(), before + 800'000'000);
#endif
}

TEST(Chunked, WorksWithSmallMessagesAndWindows) {
    for (const auto* configuration :
         {"max_payload: 4096", "max_payload: 1024", "max_payload: 200"}) {
        const auto server = start_server({.configuration = configuration});
        run(send_and_receive(server->url(), 30'000));
    }
}

awaitable<void> hold_back(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    std::optional<chunk_stream> served;
    auto service = nats.subscribe("slow", [&](message request) {
        served = accept_stream(nats, request, {.window_bytes = 1000}).value();
    });
    const transfer_options options;
    auto stream = co_await open_stream(nats, "slow", options, use_awaitable);
    const std::string much(10'000, 'x');
    asio::cancellation_signal give_up;
    std::optional<result<>> written;
    stream.value().write(
        much, asio::bind_cancellation_slot(give_up.slot(), [&](result<> how) { written = how; }));
    for (int i = 0; i < 5; ++i) {
        auto flushed = co_await nats.flush(use_awaitable);
        flushed.value();
    }
    EXPECT_FALSE(written) << "there is room for a tenth of it";
    auto first = co_await served->read(use_awaitable);
    EXPECT_EQ(first.value()->payload().size(), 1000u);
    give_up.emit(asio::cancellation_type::total);
    auto next = co_await served->read(use_awaitable);
    while (next && *next) next = co_await served->read(use_awaitable);
    EXPECT_EQ(next.error(), errc::transfer_cancelled);
    EXPECT_EQ(next.error().detail(), "cancelled");
    EXPECT_EQ(written->error(), protocol::errc::cancelled);
}

TEST(Chunked, WaitsForASlowReaderAndTellsItOfTheEnd) {
    const auto server = start_server();
    run(hold_back(server->url()));
}

awaitable<void> stop_waiting_for_the_end(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    std::optional<chunk_stream> served;
    auto service = nats.subscribe("slow", [&](message request) {
        served = accept_stream(nats, request, {.window_bytes = 1000}).value();
    });
    const transfer_options options;
    auto stream = co_await open_stream(nats, "slow", options, use_awaitable);
    const std::string much(10'000, 'x');
    std::optional<result<>> written;
    stream.value().write(much, [&](result<> how) { written = std::move(how); });
    asio::cancellation_signal give_up;
    std::optional<result<>> finished;
    stream.value().finish(asio::bind_cancellation_slot(
        give_up.slot(), [&](result<> how) { finished = std::move(how); }));
    give_up.emit(asio::cancellation_type::total);
    std::size_t arrived = 0;
    auto next = co_await served->read(use_awaitable);
    while (next && *next) {
        arrived += (*next)->payload().size();
        next = co_await served->read(use_awaitable);
    }
    EXPECT_TRUE(next) << "it ended as it should";
    EXPECT_EQ(arrived, much.size());
    EXPECT_TRUE(*written);
    EXPECT_EQ(finished->error(), protocol::errc::cancelled);
}

TEST(Chunked, WhoDoesNotWaitForTheEndHasFinishedAllTheSame) {
    const auto server = start_server();
    run(stop_waiting_for_the_end(server->url()));
}

awaitable<void> be_refused(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    transfer_options options;
    auto nobody = co_await open_stream(nats, "nobody", options, use_awaitable);
    EXPECT_EQ(nobody.error(), protocol::errc::no_responders);
    EXPECT_EQ(nobody.error().detail(), "on \"nobody\"");
    std::optional<error> refusal;
    auto plain = nats.subscribe(
        "plain", [&](message request) { (void)nats.respond(request, "an ordinary answer"); });
    auto refused = co_await open_stream(nats, "plain", options, use_awaitable);
    EXPECT_EQ(refused.error(), errc::transfer_refused);
    auto serves = nats.subscribe("serves", [&](message request) {
        refusal = accept_stream(nats, request).error();
        (void)nats.respond(request, "");
    });
    auto answer = co_await nats.request("serves", "", use_awaitable);
    EXPECT_EQ(refusal, errc::transfer_refused);
    EXPECT_EQ(refusal->detail(), "on \"serves\"");
    auto silent = nats.subscribe("silent");
    options.idle_timeout = 30ms;
    auto late = co_await open_stream(nats, "silent", options, use_awaitable);
    EXPECT_EQ(late.error(), protocol::errc::timeout);
    EXPECT_EQ(late.error().detail(),
              "the other end of the transfer said nothing for 30 ms, on \"silent\"");
}

TEST(Chunked, SaysWhyThereIsNoTransfer) {
    const auto server = start_server();
    run(be_refused(server->url()));
}

/// Answers `open` by hand, and then with whatever it likes.
awaitable<void> meet_a_liar(std::string url, std::string control, std::string payload) {
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    auto inbox = nats.subscribe("liar.inbox").value();
    auto lies = nats.subscribe("liar", [&](message request) {
        headers accept;
        accept.set("Pipit-Transfer", "accept 1000").value();
        (void)nats.respond(request, "", {.reply = "liar.inbox", .headers = &accept});
        headers lie;
        lie.set("Pipit-Transfer", control).value();
        (void)nats.respond(request, payload, {.headers = &lie});
    });
    const transfer_options options{.window_bytes = 100};
    auto stream = co_await open_stream(nats, "liar", options, use_awaitable);
    // It may have come together with the acceptance.
    error why = stream ? error() : stream.error();
    if (stream) {
        auto next = co_await stream->read(use_awaitable);
        why = next.error();
    }
    EXPECT_EQ(why, errc::transfer_broken) << control;
    auto told = co_await inbox.next(use_awaitable);
    EXPECT_EQ(told.value().header("Pipit-Transfer"), "cancel");
}

TEST(Chunked, FailsWithAHostilePeer) {
    const auto server = start_server();
    for (const auto* control : {"data 2", "data 99999999999999999999", "end 1 1", "nonsense"}) {
        run(meet_a_liar(server->url(), control, "x"));
    }
    run(meet_a_liar(server->url(), "data 1", std::string(101, 'x')));
}

TEST(Chunked, FailsWhenTheConnectionIsLost) {
    auto server = start_server();
    const auto port = server->port();
    std::promise<void> again;
    connection_options options{.servers = {server->url()}};
    blocking_connection serves(options);
    options.on_event = [&](const connection_event& what) {
        const auto* const connected = std::get_if<event::connected>(&what);
        if (connected != nullptr && connected->again) again.set_value();
    };
    blocking_connection asks(options);
    serves.connect().value();
    asks.connect().value();
    auto requests = serves.subscribe("s").value();
    serves.flush().value();
    const transfer_options impatient{.idle_timeout = 90ms};
    auto opening =
        std::async(std::launch::async, [&] { return open_stream(asks, "s", impatient); });
    auto served = accept_stream(serves, requests.next().value(), impatient).value();
    auto stream = opening.get().value();
    stream.write("hello").value();
    EXPECT_EQ(served.read().value()->payload(), "hello");
    server.reset();
    server = start_server({.port = port});
    again.get_future().wait();
    const auto lost = stream.read();
    EXPECT_TRUE(lost.error() == protocol::errc::connection_lost ||
                lost.error() == protocol::errc::timeout)
        << lost.error().message();
}

awaitable<void> open_without_a_connection(std::string url) {
    const auto executor = co_await asio::this_coro::executor;
    connection asks(executor, {.servers = {url}});
    connection serves(executor, {.servers = {url}});
    co_await connect(asks);
    co_await connect(serves);
    const transfer_options options{.idle_timeout = 6s};
    auto service = serves.subscribe("echo", echo_service(serves, options));
    auto flushed = co_await serves.flush(use_awaitable);
    flushed.value();
    asks.reconnect();
    EXPECT_FALSE(asks.is_connected());
    auto opened = co_await open_stream(asks, "echo", options, use_awaitable);
    auto& stream = opened.value();
    asio::steady_timer beyond_the_first_look(executor, 2500ms);
    co_await beyond_the_first_look.async_wait(use_awaitable);
    auto written = co_await stream.write("hello", use_awaitable);
    EXPECT_TRUE(written);
    auto finished = co_await stream.finish(use_awaitable);
    EXPECT_TRUE(finished);
    auto chunk = co_await stream.read(use_awaitable);
    EXPECT_EQ(chunk.value()->payload(), "hello");
}

TEST(Chunked, GoesOverTheNextConnectionWhenItIsOpenedWithoutOne) {
    const auto server = start_server();
    run(open_without_a_connection(server->url()));
}

struct leaves_a_note {
    bool& note;
    ~leaves_a_note() { note = true; }
};

awaitable<void> read_for_ever(std::string url, bool& reads, bool& destroyed) {
    const leaves_a_note leaves{destroyed};
    const auto executor = co_await asio::this_coro::executor;
    connection nats(executor, {.servers = {url}});
    co_await connect(nats);
    auto service = nats.subscribe("echo", echo_service(nats));
    const transfer_options options;
    auto opened = co_await open_stream(nats, "echo", options, use_awaitable);
    auto& stream = opened.value();
    reads = true;
    auto never = co_await stream.read(use_awaitable);
    ADD_FAILURE() << "it was destroyed";
}

TEST(Chunked, MayBeDestroyedWithTheExecutionContext) {
    const auto server = start_server();
    bool reads = false;
    bool destroyed = false;
    {
        asio::io_context io;
        asio::co_spawn(io, read_for_ever(server->url(), reads, destroyed), asio::detached);
        run_until(io, [&] { return reads; });
    }
    EXPECT_TRUE(destroyed);
}

TEST(Chunked, MayOutliveItsConnection) {
    const auto server = start_server();
    std::optional<blocking_connection> nats;
    nats.emplace(connection_options{.servers = {server->url()}});
    nats->connect().value();
    auto requests = nats->subscribe("s").value();
    auto opening = std::async(std::launch::async, [&] { return open_stream(*nats, "s"); });
    auto served = accept_stream(*nats, requests.next().value()).value();
    auto stream = opening.get().value();
    stream.write("hello").value();
    nats.reset();
    EXPECT_EQ(stream.write("more").error(), protocol::errc::closed);
    EXPECT_EQ(stream.read().error(), protocol::errc::closed);
    EXPECT_EQ(stream.finish().error(), protocol::errc::closed);
}

TEST(Chunked, WorksWithoutAnEventLoop) {
    const auto server = start_server();
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto requests = nats.subscribe("upper").value();
    std::jthread service([&] {
        auto stream = accept_stream(nats, requests.next().value()).value();
        std::string text;
        for (;;) {
            auto chunk = stream.read().value();
            if (!chunk) break;
            text += chunk->payload();
        }
        for (char& c : text) c = c == 'a' ? 'A' : c;
        stream.write(text).value();
        stream.finish().value();
    });
    auto stream = open_stream(nats, "upper").value();
    stream.write(std::string(3'000'000, 'a')).value();
    stream.finish().value();
    EXPECT_EQ(stream.finish().error(), errc::transfer_busy);
    EXPECT_EQ(stream.write("more").error(), errc::transfer_busy);
    std::string answer;
    while (auto chunk = stream.read().value()) answer += chunk->payload();
    EXPECT_EQ(answer, std::string(3'000'000, 'A'));
    service.join();
}

} // namespace
} // namespace pipit::client
