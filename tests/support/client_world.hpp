// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/client.hpp>
#include <pipit/server.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

/// What tests of the client share: servers, real and false ones, and an executor with patience.
namespace pipit::support {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto patience = 60s; // A failure must not hang.

inline std::unique_ptr<embedded_server> start_server(embedded_server_options options = {}) {
    auto started = embedded_server::start(std::move(options));
    return std::move(started.value());
}

/// Runs a coroutine to its end; what it throws is thrown here.
inline void run(asio::io_context& io, asio::awaitable<void> body) {
    bool done = false;
    asio::co_spawn(io, std::move(body), [&](std::exception_ptr thrown) {
        done = true;
        io.stop();
        if (thrown) std::rethrow_exception(thrown);
    });
    io.restart();
    io.run_for(patience);
    EXPECT_TRUE(done) << "it still waits for something";
}

inline void run(asio::awaitable<void> body) {
    asio::io_context io;
    run(io, std::move(body));
}

/// Throws where it fails, as does `flush`.
inline asio::awaitable<void> connect(client::connection& nats) {
    auto connected = co_await nats.connect(asio::use_awaitable);
    connected.value();
}

inline asio::awaitable<void> flush(client::connection& nats) {
    auto flushed = co_await nats.flush(asio::use_awaitable);
    flushed.value();
}

/// Runs until something is true.
template <class Condition>
void run_until(asio::io_context& io, Condition is_true) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    bool is_so = is_true();
    while (!is_so && std::chrono::steady_clock::now() < deadline) {
        io.restart();
        if (io.run_one_for(100ms) == 0 && io.stopped()) break; // Nothing will happen any more.
        is_so = is_true();
    }
    EXPECT_TRUE(is_so);
}

/// A server that says what a test lets it say, to one client after the other.
class false_server {
public:
    class peer {
    public:
        explicit peer(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}

        void send(std::string_view text) {
            boost::system::error_code ignored;
            asio::write(socket_, asio::buffer(text), ignored);
        }
        /// Reads up to and with `text`; what came, or nothing when the client is gone.
        std::string read_until(std::string_view text) {
            boost::system::error_code code;
            const auto size = asio::read_until(socket_, buffer_, std::string(text), code);
            if (code) return {};
            const auto* const begin = static_cast<const char*>(buffer_.data().data());
            std::string out(begin, size);
            buffer_.consume(size);
            return out;
        }
        /// The usual beginning; returns CONNECT and PING.
        std::string greet(std::string_view info = R"({"server_id":"F","max_payload":1048576,)"
                                                  R"("headers":true,"proto":1})") {
            send("INFO " + std::string(info) + " \r\n");
            auto connect = read_until("PING\r\n");
            send("PONG\r\n");
            return connect;
        }
        void wait_until_gone() {
            while (!read_until("\n").empty()) {
            }
        }
        /// Ends it in a way that the other side learns of by sending, too.
        void reset() {
            boost::system::error_code ignored;
            socket_.set_option(asio::socket_base::linger(true, 0), ignored);
            socket_.close(ignored);
        }

    private:
        asio::ip::tcp::socket socket_;
        asio::streambuf buffer_;
    };
    using script = std::function<void(peer&)>;

    explicit false_server(script plays)
        : acceptor_(io_, {asio::ip::make_address("127.0.0.1"), 0}),
          thread_([this, plays = std::move(plays)] {
              for (;;) {
                  auto accepted = acceptor_.accept();
                  if (stops_) return;
                  peer client(std::move(accepted));
                  plays(client);
              }
          }) {}
    ~false_server() {
        stops_ = true;
        asio::ip::tcp::socket waker(io_);
        waker.connect(acceptor_.local_endpoint());
        thread_.join();
    }
    false_server(const false_server&) = delete;
    false_server& operator=(const false_server&) = delete;

    [[nodiscard]] asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
    [[nodiscard]] std::string url() const {
        return "nats://127.0.0.1:" + std::to_string(endpoint().port());
    }

private:
    asio::io_context io_;
    asio::ip::tcp::acceptor acceptor_;
    std::atomic<bool> stops_ = false;
    std::thread thread_;
};

} // namespace pipit::support
