// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/websocket_arrivals.hpp>

#include <pipit/net/clock.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <utility>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                                     "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A loop with WebSockets that have not begun yet.
struct WebSocketArrivals : testing::Test {
    void SetUp() override {
        // Each of them has a descriptor, and so has whoever it belongs to.
        rlimit files{};
        ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
        files.rlim_cur = files.rlim_max;
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
        if (files.rlim_cur < limits::websocket_handshakes + 64) {
            GTEST_SKIP() << "only " << files.rlim_cur << " open files";
        }
        events.on_deadline([this] { events.stop(); });
        events.wake_at(net::steady_now() + 60s);
    }
    /// Comes from there; returns its end.
    net::socket_handle come(const std::string& address) {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        net::accepted_socket accepted;
        accepted.socket = net::socket_handle(ends[0]);
        accepted.ip = address;
        arrivals.begin(std::move(accepted), policy, nullptr, net::steady_now());
        return net::socket_handle(ends[1]);
    }

    net::event_loop events;
    net::buffer_pool buffers;
    strangers guests{limits::stranger_bytes, [] {}};
    fair_turns handshakes{events};
    logger log;
    websocket_policy policy{{}, false};
    std::string welcomed;
    websocket_arrivals arrivals{
        events, buffers, guests, handshakes, log, [this](const websocket_guest& guest) {
            welcomed = guest.origin.ip;
            events.stop();
        }};
};

TEST_F(WebSocketArrivals, OfOnePartyPushNobodyElseOut) {
    const auto own = come("192.0.2.1");
    for (std::size_t i = 0; i < limits::websocket_handshakes + 10; ++i) {
        (void)come("2001:db8::" + std::to_string(i));
    }
    ASSERT_EQ(::send(own.get(), request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()))
        << "it was closed";
    events.run();
    EXPECT_EQ(welcomed, "192.0.2.1");
}

TEST_F(WebSocketArrivals, OfThePartyThatHasMostTheOldestGoes) {
    const auto first = come("192.0.2.1");
    const auto second = come("192.0.2.1");
    for (std::size_t i = 2; i < limits::websocket_handshakes; ++i) {
        (void)come("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
    }
    char byte = 0;
    EXPECT_EQ(::recv(first.get(), &byte, 1, 0), -1) << "there is room for all";
    (void)come("198.51.100.1");
    EXPECT_EQ(::recv(first.get(), &byte, 1, 0), 0);
    EXPECT_EQ(::recv(second.get(), &byte, 1, 0), -1);
}

} // namespace
} // namespace pipit::server
