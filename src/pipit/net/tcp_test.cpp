// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/clock.hpp>
#include <pipit/net/event_loop.hpp>
#include <pipit/net/tcp.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <array>
#include <future>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace pipit::net {
namespace {

/// Sends back what it reads, and stops the loop when the other side closes.
class echo final : public transport_user {
public:
    echo(event_loop& loop, accepted_socket accepted)
        : ip(accepted.ip),
          loop_(loop),
          transport_(make_tcp_transport(loop, std::move(accepted.socket), *this)) {
        transport_->wait_readable();
    }

    void on_readable() override {
        const auto [status, bytes] = transport_->read(first_, second_);
        if (status == io_status::closed) return loop_.stop();
        ASSERT_EQ(status, io_status::done);
        held_.append(first_.data(), std::min(bytes, first_.size()));
        if (bytes > first_.size()) held_.append(second_.data(), bytes - first_.size());
        transport_->wait_writable();
    }

    void on_writable() override {
        const bytes_view piece = held_;
        const auto [status, bytes] = transport_->write({&piece, 1});
        ASSERT_EQ(status, io_status::done);
        held_.erase(0, bytes);
        transport_->wait_readable();
    }

    std::string ip;

private:
    event_loop& loop_;
    transport_pointer transport_;
    std::array<char, 3> first_{};
    std::array<char, 64> second_{};
    std::string held_;
};

int connect_to(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto client = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    return client;
}

TEST(Tcp, CarriesBytesBothWaysUntilTheOtherSideCloses) {
    event_loop loop;
    auto listener = listen_tcp("127.0.0.1", 0);
    ASSERT_TRUE(listener);
    const auto port = local_port(*listener);
    std::unique_ptr<echo> echoes;
    tcp_acceptor acceptor(loop, std::move(*listener), "Client", logger(), [&](auto accepted) {
        echoes = std::make_unique<echo>(loop, std::move(accepted));
    });
    std::jthread client([&] {
        const auto socket = connect_to(port);
        ASSERT_EQ(::send(socket, "hello", 5, 0), 5);
        std::string answer(5, '\0');
        EXPECT_EQ(::recv(socket, answer.data(), 5, MSG_WAITALL), 5);
        EXPECT_EQ(answer, "hello");
        ::close(socket);
    });
    loop.run();
    EXPECT_EQ(echoes->ip, "127.0.0.1");
}

TEST(Tcp, AnIpv4ClientOfAllAddressesIsShownAsOne) {
    event_loop loop;
    auto listener = listen_tcp("0.0.0.0", 0);
    ASSERT_TRUE(listener);
    const auto client = connect_to(local_port(*listener));
    std::string ip;
    tcp_acceptor acceptor(loop, std::move(*listener), "Client", logger(), [&](auto accepted) {
        ip = accepted.ip;
        loop.stop();
    });
    loop.run();
    EXPECT_EQ(ip, "127.0.0.1");
    ::close(client);
}

TEST(Tcp, OneThatWaitedWhenItsLoopStoppedIsFreedOnceClosed) { // LeakSanitizer tells.
    event_loop loop;
    auto listener = listen_tcp("127.0.0.1", 0);
    ASSERT_TRUE(listener);
    const auto client = connect_to(local_port(*listener));
    std::unique_ptr<echo> waits;
    tcp_acceptor acceptor(loop, std::move(*listener), "Client", logger(), [&](auto accepted) {
        waits = std::make_unique<echo>(loop, std::move(accepted));
        loop.stop();
    });
    loop.run();
    EXPECT_TRUE(waits);
    waits.reset();
    ::close(client);
}

TEST(Tcp, APortThatIsTakenIsNamedAsToolsExpect) {
    const auto first = listen_tcp("127.0.0.1", 0);
    ASSERT_TRUE(first);
    const auto port = local_port(*first);
    const auto second = listen_tcp("127.0.0.1", port);
    ASSERT_TRUE(second.has_error());
    EXPECT_EQ(second.error().detail(),
              "listen tcp 127.0.0.1:" + std::to_string(port) + ": bind: address already in use");
}

TEST(Tcp, ListensForNoAddressThatOnlyTheCLibraryKnows) {
    for (const std::string host : {"*", "0", "127.1", "0x7f000001"}) {
        const auto listener = listen_tcp(host, 0);
        ASSERT_TRUE(listener.has_error()) << host;
        EXPECT_EQ(listener.error().detail(), "listen tcp: lookup " + host + ": no such host");
    }
    EXPECT_TRUE(listen_tcp("localhost", 0));
}

TEST(EventLoop, RunsTasksOfOtherThreadsInOrder) {
    event_loop loop;
    std::string order;
    std::jthread other([&] {
        loop.post([&] { order += 'a'; });
        loop.post([&] { order += 'b'; });
        loop.post([&] { loop.stop(); });
    });
    loop.run();
    EXPECT_EQ(order, "ab");
}

TEST(EventLoop, WakesAtTheEarliestTimeAskedFor) {
    event_loop loop;
    const auto start = steady_now();
    int calls = 0;
    loop.on_deadline([&] {
        if (++calls == 2) return loop.stop();
        loop.wake_at(start);
    });
    loop.wake_at(start + std::chrono::hours(1));
    loop.wake_at(start + std::chrono::milliseconds(1));
    loop.run();
    EXPECT_GE(steady_now() - start, std::chrono::milliseconds(1));
    EXPECT_LT(steady_now() - start, std::chrono::minutes(1));
}

/// Counts whom it hears.
class listener_of_one final : public transport_user {
public:
    listener_of_one(event_loop& loop, socket_handle socket, int& heard)
        : transport_(make_tcp_transport(loop, std::move(socket), *this)), heard_(heard) {
        transport_->wait_readable();
    }
    void on_readable() override { ++heard_; }
    void on_writable() override {}

private:
    transport_pointer transport_;
    int& heard_;
};

TEST(EventLoop, HearsEverybodyBeforeItCallsAnythingLateWhenItDidNotRun) {
    event_loop loop;
    constexpr int count = 300; // More than it is told of at once.
    int heard = 0;
    std::vector<socket_handle> others;
    std::vector<std::unique_ptr<listener_of_one>> listeners;
    for (int i = 0; i < count; ++i) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
        others.emplace_back(ends[0]);
        listeners.push_back(std::make_unique<listener_of_one>(loop, socket_handle(ends[1]), heard));
    }
    loop.on_deadline([&] { loop.stop(); });
    loop.wake_at(steady_now() - std::chrono::seconds(30));
    for (const auto& other : others) ASSERT_EQ(::send(other.get(), "x", 1, 0), 1);
    loop.run();
    EXPECT_EQ(heard, count);
}

} // namespace
} // namespace pipit::net
