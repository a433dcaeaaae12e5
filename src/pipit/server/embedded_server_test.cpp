// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/test_tokens.hpp>
#include <pipit/server.hpp>
#include <pipit/server/error.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <chrono>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace pipit {
namespace {

using namespace std::chrono_literals;

/// A client as bare as a socket can be.
class raw_client {
public:
    explicit raw_client(std::uint16_t port, std::string_view user = {}, std::string_view jwt = {})
        : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto connected =
            ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
        EXPECT_EQ(connected, 0);
        const timeval patience{30, 0}; // A failure must not hang.
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        send("CONNECT {\"user\":\"" + std::string(user) + "\",\"jwt\":\"" + std::string(jwt) +
             "\",\"verbose\":false}\r\n");
        barrier();
        received_.clear();
        read_ = 0;
    }
    ~raw_client() { ::close(socket_); }
    raw_client(const raw_client&) = delete;
    raw_client& operator=(const raw_client&) = delete;

    void send(std::string_view text) {
        while (!text.empty()) {
            const auto count = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
            if (count <= 0) return;
            text.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    /// Reads until everything that was sent has been handled. False: the server closed.
    bool barrier() {
        send("PING\r\n");
        return read_until("PONG\r\n");
    }
    bool read_until(std::string_view text) {
        for (;;) {
            if (const auto found = unread().find(text); found != std::string_view::npos) {
                read_ += found + text.size();
                return true;
            }
            char bytes[4096];
            const auto count = ::recv(socket_, bytes, sizeof(bytes), 0);
            if (count <= 0) return false;
            received_.append(bytes, static_cast<std::size_t>(count));
        }
    }
    /// How often something has come since the start.
    [[nodiscard]] int count(std::string_view text) const {
        int found = 0;
        for (auto at = received_.find(text); at != std::string::npos;
             at = received_.find(text, at + text.size())) {
            ++found;
        }
        return found;
    }
    [[nodiscard]] const std::string& received() const noexcept { return received_; }

private:
    [[nodiscard]] std::string_view unread() const {
        return std::string_view(received_).substr(std::min(read_, received_.size()));
    }

    int socket_;
    std::string received_;
    std::size_t read_ = 0;
};

class EmbeddedServer : public testing::TestWithParam<int> {
protected:
    void SetUp() override { start({}); }

    void start(std::string configuration) {
        auto started = embedded_server::start({.loops = GetParam(),
                                               .policy = server::placement_policy::round_robin,
                                               .configuration = std::move(configuration),
                                               .log = {}});
        ASSERT_TRUE(started) << started.error().message();
        server_ = std::move(*started);
    }

    std::unique_ptr<embedded_server> server_;
};

TEST_P(EmbeddedServer, DeliversWhateverLoopsTheConnectionsAreOn) {
    raw_client first(server_->port());
    raw_client second(server_->port());
    raw_client third(server_->port());
    for (auto* each : {&first, &second, &third}) {
        each->send("SUB greeting.* 1\r\n");
        ASSERT_TRUE(each->barrier());
    }
    second.send("PUB greeting.all 5\r\nhello\r\n");
    for (auto* each : {&first, &second, &third}) {
        EXPECT_TRUE(each->read_until("MSG greeting.all 1 5\r\nhello\r\n"));
    }
}

TEST_P(EmbeddedServer, WhatComesAfterAFlushIsSeenAfterIt) {
    raw_client early(server_->port());
    raw_client late(server_->port());
    raw_client watcher(server_->port());
    watcher.send("SUB > 1\r\n");
    ASSERT_TRUE(watcher.barrier());
    for (int i = 0; i < 200; ++i) {
        const auto number = std::to_string(1000 + i);
        early.send("PUB early 4\r\n" + number + "\r\n");
        ASSERT_TRUE(early.barrier());
        late.send("PUB late 4\r\n" + number + "\r\n");
        ASSERT_TRUE(late.barrier());
    }
    ASSERT_TRUE(watcher.read_until("MSG late 1 4\r\n1199\r\n"));
    std::string expected;
    for (int i = 1000; i < 1200; ++i) {
        const auto number = std::to_string(i);
        expected += "MSG early 1 4\r\n" + number + "\r\nMSG late 1 4\r\n" + number + "\r\n";
    }
    EXPECT_TRUE(watcher.received() == "PONG\r\n" + expected);
}

TEST_P(EmbeddedServer, OneMemberOfAGroupGetsAMessage) {
    constexpr int messages = 600;
    std::vector<std::unique_ptr<raw_client>> members;
    for (int i = 0; i < 6; ++i) {
        members.push_back(std::make_unique<raw_client>(server_->port()));
        members.back()->send("SUB job workers 1\r\n");
        ASSERT_TRUE(members.back()->barrier());
    }
    raw_client publisher(server_->port());
    raw_client watcher(server_->port());
    watcher.send("SUB done 1\r\n");
    ASSERT_TRUE(watcher.barrier());
    for (int i = 0; i < messages; ++i) publisher.send("PUB job 1\r\nx\r\n");
    publisher.send("PUB done 0\r\n\r\n");
    ASSERT_TRUE(watcher.read_until("MSG done"));
    int delivered = 0;
    for (auto& each : members) {
        ASSERT_TRUE(each->barrier());
        const auto mine = each->count("MSG job");
        EXPECT_GT(mine, messages / 60);
        delivered += mine;
    }
    EXPECT_EQ(delivered, messages);
}

TEST_P(EmbeddedServer, AnswersOfAnImportedServiceComeToWhoAskedOnWhateverLoop) {
    start("accounts { "
          "S { users: [{ user: s }], exports: [{ service: ask.> }] }, "
          "A { users: [{ user: a }], imports: [{ service: { account: S, subject: ask.a } }] }, "
          "B { users: [{ user: b }], imports: [{ service: { account: S, subject: ask.b } }] } }");
    // In turns on the loops: of several loops each has a requester, one of them the responder, too.
    raw_client responder(server_->port(), "s");
    raw_client first(server_->port(), "a");
    raw_client second(server_->port(), "b");
    responder.send("SUB ask.* 1\r\n");
    ASSERT_TRUE(responder.barrier());
    const auto ask = [&](raw_client& by, std::string_view subject) {
        by.send("SUB inbox 2\r\n");
        EXPECT_TRUE(by.barrier());
        const auto head = "MSG " + std::string(subject) + " 1 ";
        by.send("PUB " + std::string(subject) + " inbox 0\r\n\r\n");
        EXPECT_TRUE(responder.read_until(head) && responder.read_until("\r\n\r\n"));
        const auto& seen = responder.received();
        const auto from = seen.find(head) + head.size();
        return seen.substr(from, seen.find(' ', from) - from);
    };
    const auto of_first = ask(first, "ask.a");
    const auto of_second = ask(second, "ask.b");
    EXPECT_NE(of_first, of_second);
    responder.send("PUB " + of_first + " 1\r\na\r\nPUB " + of_second + " 1\r\nb\r\n");
    EXPECT_TRUE(first.read_until("MSG inbox 2 1\r\na\r\n"));
    EXPECT_TRUE(second.read_until("MSG inbox 2 1\r\nb\r\n"));
}

TEST_P(EmbeddedServer, LargeMessagesCrossInOnePiece) {
    raw_client receiver(server_->port());
    raw_client sender(server_->port());
    receiver.send("SUB large 1\r\n");
    ASSERT_TRUE(receiver.barrier());
    const std::string payload(1000000, 'x');
    sender.send("PUB large 1000000\r\n" + payload + "\r\n");
    EXPECT_TRUE(receiver.read_until("MSG large 1 1000000\r\n" + payload + "\r\n"));
}

TEST_P(EmbeddedServer, ManyConnectAndGoAtTheSameTime) {
    std::vector<std::jthread> crowd;
    for (int i = 0; i < 6; ++i) {
        crowd.emplace_back([&, i] {
            for (int j = 0; j < 20; ++j) {
                raw_client guest(server_->port());
                const auto subject = "crowd." + std::to_string(i);
                guest.send("SUB crowd.> 1\r\nPUB " + subject + " 1\r\nx\r\n");
                EXPECT_TRUE(guest.read_until("MSG " + subject + " 1 1\r\nx\r\n"));
            }
        });
    }
    crowd.clear();
    raw_client last(server_->port());
    EXPECT_TRUE(last.barrier());
}

TEST_P(EmbeddedServer, IsReloadedWhileMessagesFlow) {
    raw_client receiver(server_->port());
    receiver.send("SUB flow 1\r\n");
    ASSERT_TRUE(receiver.barrier());
    std::jthread traffic([&](const std::stop_token& stop) {
        raw_client sender(server_->port());
        while (!stop.stop_requested()) {
            sender.send("PUB flow 1\r\nx\r\n");
            EXPECT_TRUE(sender.barrier());
        }
    });
    for (const auto* configuration :
         {"max_payload: 1000", "max_payload: 2000\naccounts { A { users: [] } }",
          "max_payload: 10"}) {
        const auto reloaded = server_->reload(configuration);
        EXPECT_TRUE(reloaded) << reloaded.error().message();
        ASSERT_TRUE(receiver.read_until("MSG flow"));
    }
    traffic.request_stop();
    traffic.join();
    receiver.send("PUB flow 11\r\n");
    EXPECT_TRUE(receiver.read_until("-ERR 'Maximum Payload Violation'"));
}

TEST_P(EmbeddedServer, AReloadThatFailsChangesNothing) {
    raw_client client(server_->port());
    const auto refused = server_->reload("max_payload: 5\nmax_pending: 1000000");
    ASSERT_TRUE(refused.has_error());
    EXPECT_EQ(refused.error(), server::errc::reload_not_supported);
    client.send("PUB a 6\r\n123456\r\n");
    EXPECT_TRUE(client.barrier());
}

/// An operator, its system account and another account, whose users bring JWTs and sign nothing.
struct operated {
    auth::test_key owner{auth::nkey_prefix::operator_key, 1};
    auth::test_key system{auth::nkey_prefix::account, 2};
    auth::test_key account{auth::nkey_prefix::account, 3};

    [[nodiscard]] std::string account_jwt(int connections) const {
        return owner.issue_account(account.text(),
                                   R"("limits":{"subs":-1,"data":-1,"payload":-1,"imports":-1,)"
                                   R"("exports":-1,"wildcards":true,"leaf":-1,"conn":)" +
                                       std::to_string(connections) + "}");
    }
    [[nodiscard]] std::string configuration() const {
        const auto jwt = owner.issue(owner.text(), R"("nats":{"system_account":")" + system.text() +
                                                       R"(","type":"operator","version":2})");
        const auto of_system = owner.issue_account(system.text(), auth::no_account_limits);
        return "operator: " + jwt + "\nresolver: MEMORY\nresolver_preload: { " + account.text() +
               ": " + account_jwt(-1) + "\n" + system.text() + ": " + of_system + " }\n";
    }
    static std::string user_of(const auth::test_key& of) {
        const auth::test_key user(auth::nkey_prefix::user, 4);
        return of.issue_user(user.text(), R"("bearer_token":true)");
    }
};

TEST_P(EmbeddedServer, EndsTheYoungestOfAllLoopsWhenAnAccountMayHaveFewerConnections) {
    const operated world;
    start(world.configuration());
    std::vector<std::unique_ptr<raw_client>> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(
            std::make_unique<raw_client>(server_->port(), "", world.user_of(world.account)));
        ASSERT_TRUE(clients.back()->barrier());
    }
    raw_client administrator(server_->port(), "", world.user_of(world.system));
    const auto fewer = world.account_jwt(2);
    administrator.send("SUB answer 1\r\nPUB $SYS.REQ.ACCOUNT." + world.account.text() +
                       ".CLAIMS.UPDATE answer " + std::to_string(fewer.size()) + "\r\n" + fewer +
                       "\r\n");
    ASSERT_TRUE(administrator.read_until("jwt updated"));
    for (const auto i : {2u, 3u}) {
        EXPECT_TRUE(clients[i]->read_until("maximum account active connections exceeded")) << i;
    }
    for (const auto i : {0u, 1u}) EXPECT_TRUE(clients[i]->barrier()) << i;
}

TEST_P(EmbeddedServer, AsksForABcryptPasswordWithoutStopping) {
    start("authorization { user: u, "
          "password: $2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW }");
    auto inside = server_->connect();
    ASSERT_TRUE(
        inside.write("CONNECT {\"user\":\"u\",\"pass\":\"secret\",\"verbose\":true}\r\n", 1min));
    std::string received;
    while (received.find("+OK\r\n") == std::string::npos) {
        std::string space(4096, '\0');
        const auto count = inside.read_some(space, 1min);
        ASSERT_TRUE(count && *count > 0) << received;
        received += space.substr(0, *count);
    }
}

TEST_P(EmbeddedServer, IsReachedFromInsideTheProcess) {
    auto inside = server_->connect();
    raw_client outside(server_->port());
    ASSERT_TRUE(inside.write("CONNECT {\"verbose\":false}\r\nSUB a 1\r\nPING\r\n", 1min));
    std::string received;
    const auto read_until = [&](std::string_view text) {
        while (received.find(text) == std::string::npos) {
            std::string space(4096, '\0');
            const auto count = inside.read_some(space, 1min);
            if (!count || *count == 0) return false;
            received += space.substr(0, *count);
        }
        return true;
    };
    ASSERT_TRUE(read_until("PONG\r\n"));
    EXPECT_TRUE(received.starts_with("INFO {"));
    outside.send("PUB a 2\r\nhi\r\n");
    EXPECT_TRUE(read_until("MSG a 1 2\r\nhi\r\n"));
    server_.reset();
    EXPECT_FALSE(read_until("more"));
}

INSTANTIATE_TEST_SUITE_P(Loops, EmbeddedServer, testing::Values(1, 3),
                         [](const auto& loops) { return "With" + std::to_string(loops.param); });

TEST(EmbeddedServerAlone, NeedsNoPort) {
    const auto server = embedded_server::start({.listens = false, .configuration = {}, .log = {}});
    ASSERT_TRUE(server);
    EXPECT_EQ((*server)->url(), "");
    auto inside = (*server)->connect();
    std::string space(4096, '\0');
    const auto count = inside.read_some(space, 1min);
    ASSERT_TRUE(count);
    EXPECT_TRUE(space.starts_with("INFO {"));
}

TEST(EmbeddedServerAlone, SaysWhatIsWrongWithItsConfiguration) {
    const auto server = embedded_server::start({.configuration = "max_payloads: 1", .log = {}});
    ASSERT_TRUE(server.has_error());
    EXPECT_EQ(server.error(), server::errc::invalid_configuration);
}

} // namespace
} // namespace pipit
