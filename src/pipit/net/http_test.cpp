// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/http.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <future>
#include <memory>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace {

std::atomic<int> refused_accepts = 0; ///< So many of the next, for lack of descriptors.

} // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the system's.
extern "C" __attribute__((visibility("default"))) int
accept4(int listener, sockaddr* __restrict address, socklen_t* __restrict size, int flags) {
    if (refused_accepts == 0) {
        return static_cast<int>(::syscall(SYS_accept4, listener, address, size, flags));
    }
    --refused_accepts;
    errno = EMFILE;
    return -1;
}

namespace pipit::net {
namespace {

using namespace std::chrono_literals;

/// A blocking client that sends bytes and reads what comes.
class raw_client {
public:
    explicit raw_client(std::uint16_t port, const char* from = "127.0.0.1")
        : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in own{};
        own.sin_family = AF_INET;
        ::inet_pton(AF_INET, from, &own.sin_addr);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof(own)), 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto* where = reinterpret_cast<const sockaddr*>(&address);
        EXPECT_EQ(::connect(socket_, where, sizeof(address)), 0);
        const timeval patience{5, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    }
    ~raw_client() { ::close(socket_); }
    raw_client(const raw_client&) = delete;
    raw_client& operator=(const raw_client&) = delete;

    /// False when the server has closed before it took everything.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    /// Everything up to and including `end`; less when the server closes before.
    std::string read_until(std::string_view end) {
        std::string received;
        char byte = 0;
        while (received.find(end) == std::string::npos && ::recv(socket_, &byte, 1, 0) == 1) {
            received += byte;
        }
        return received;
    }

    /// Everything until the server closes.
    std::string read_all() {
        std::string received;
        char bytes[4096];
        for (;;) {
            const auto count = ::recv(socket_, bytes, sizeof(bytes), 0);
            if (count < 0 && errno != ECONNRESET) ADD_FAILURE() << "the server did not close";
            if (count <= 0) return received;
            received.append(bytes, static_cast<std::size_t>(count));
        }
    }

private:
    int socket_;
};

http_response echo(std::string_view target) {
    return {200, "text/plain", "<" + std::string(target) + ">", {{"X-Extra", "yes"}}};
}

std::unique_ptr<http_server> serve(http_server_options options = {}, http_handler handler = echo) {
    auto server = http_server::listen(std::move(options), std::move(handler));
    EXPECT_TRUE(server) << server.error().message();
    return std::move(*server);
}

/// The answer to bytes after which the server closes.
std::string answer_to(std::string_view bytes) {
    const auto server = serve();
    raw_client client(server->port());
    client.send(bytes);
    return client.read_all();
}

TEST(HttpServer, AnswersWithWhatTheHandlerGives) {
    const auto answer = answer_to("GET /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(answer.find("HTTP/1.1 200 OK\r\n"), 0u);
    for (const auto* part : {"\r\nX-Extra: yes\r\n", "\r\nContent-Type: text/plain\r\n",
                             "\r\nContent-Length: 8\r\n", "\r\nDate: ", " GMT\r\n"}) {
        EXPECT_NE(answer.find(part), std::string::npos) << part;
    }
    EXPECT_TRUE(answer.ends_with("\r\n\r\n</a?b=c>"));
}

TEST(HttpServer, KeepsAConnectionForTheNextRequest) {
    const auto server = serve();
    raw_client client(server->port());
    client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.read_until("</1>").ends_with("</1>"));
    client.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.read_until("</2>").ends_with("</2>"));
    EXPECT_TRUE(client.read_until("</3>").ends_with("</3>"));
}

TEST(HttpServer, WantsToKnowWhichHostIsMeant) {
    const std::string begin = "GET / HTTP/1.1\r\n";
    const std::string end = "Connection: close\r\n\r\n";
    EXPECT_TRUE(answer_to(begin + "\r\n").ends_with("missing required Host header"));
    EXPECT_TRUE(
        answer_to(begin + "Host: a\r\nHost: a\r\n" + end).ends_with("\r\n\r\n400 Bad Request"));
    EXPECT_TRUE(answer_to(begin + "Host: a b\r\n" + end).ends_with("malformed Host header"));
    EXPECT_EQ(answer_to(begin + "Host: a b\r\n" + end)
                  .find("HTTP/1.1 400 Bad Request: malformed Host header\r\n"),
              0u);
    for (const auto* host : {"", "[::1]:8222", "nats.example.org:8222"}) {
        EXPECT_TRUE(answer_to(begin + "Host: " + host + "\r\n" + end).ends_with("</>")) << host;
    }
}

TEST(HttpServer, ClosesAfterAnswerToAnOldClient) {
    EXPECT_TRUE(answer_to("GET /old HTTP/1.0\r\n\r\n").ends_with("</old>"));
}

TEST(HttpServer, SendsNoBodyToHead) {
    const auto answer = answer_to("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_NE(answer.find("\r\nContent-Length: 4\r\n"), std::string::npos);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST(HttpServer, TakesAnyMethodAndIgnoresItsBody) {
    EXPECT_TRUE(
        answer_to(
            "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            .ends_with("</a>"));
    EXPECT_TRUE(answer_to("BREW /a HTTP/1.0\r\n\r\n").ends_with("</a>"));
}

TEST(HttpServer, RefusesNonsense) {
    for (const auto* bytes :
         {"nonsense\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/9.99\r\n\r\n",
          "\x16\x03\x01\x02\x03\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 05\r\n\r\n"}) {
        EXPECT_EQ(answer_to(bytes).find("HTTP/1.1 400 Bad Request\r\n"), 0u) << bytes;
    }
}

TEST(HttpServer, RefusesATransferEncodingThatItDoesNotKnow) {
    EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: nope\r\n\r\n")
                  .find("HTTP/1.1 501 "),
              0u);
    EXPECT_TRUE(answer_to("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                          "Connection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
                    .ends_with("</a>"));
}

TEST(HttpServer, RefusesWhatIsTooLarge) {
    const std::string many(20'000, 'x');
    EXPECT_EQ(answer_to("GET /" + many + " HTTP/1.1\r\nHost: x\r\n\r\n").find("HTTP/1.1 431 "), 0u);
    EXPECT_EQ(
        answer_to("GET / HTTP/1.1\r\nHost: x\r\nA: " + many + "\r\n\r\n").find("HTTP/1.1 431 "),
        0u);
}

TEST(HttpServer, PassesABodyBy) {
    const auto server = serve();
    raw_client client(server->port());
    const std::string body(20'000, 'x');
    client.send("PUT /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" + body);
    EXPECT_TRUE(client.read_until("</1>").ends_with("</1>"));
    client.send("PUT /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.read_until("</2>").ends_with("</2>"));
    EXPECT_TRUE(client.read_until("</3>").ends_with("</3>"));
    // One that is too long, or not to be understood, is the connection's last.
    client.send("PUT /4 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    const auto last = client.read_all();
    EXPECT_NE(last.find("\r\nConnection: close\r\n"), std::string::npos);
    EXPECT_TRUE(last.ends_with("</4>"));
    EXPECT_TRUE(answer_to("PUT /5 HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" +
                          std::string(300'000, 'x'))
                    .ends_with("</5>"));
}

TEST(HttpServer, TakesLinesThatEndWithALineFeed) {
    EXPECT_TRUE(answer_to("GET /a HTTP/1.1\nHost: x\n\nGET /b HTTP/1.1\nHost: x\n"
                          "Connection: close\n\n")
                    .ends_with("</b>"));
}

TEST(HttpServer, SpeaksToAnOldClientAsItSpeaks) {
    const auto server = serve();
    raw_client client(server->port());
    client.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto kept = client.read_until("</1>");
    EXPECT_EQ(kept.find("HTTP/1.0 200 OK\r\n"), 0u);
    EXPECT_NE(kept.find("\r\nConnection: keep-alive\r\n"), std::string::npos);
    client.send("GET /2 HTTP/1.0\r\n\r\n");
    const auto last = client.read_all();
    EXPECT_TRUE(last.starts_with("HTTP/1.0 200 OK\r\n"));
    EXPECT_EQ(last.find("\r\nConnection:"), std::string::npos);
}

TEST(HttpServer, DoesNotWaitForABodyThatWaitsForLeave) {
    EXPECT_TRUE(answer_to("PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                          "Content-Length: 3\r\n\r\n")
                    .ends_with("</a>"));
    EXPECT_TRUE(answer_to("GET /a HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n")
                    .starts_with("HTTP/1.1 417 Expectation Failed\r\n"));
}

TEST(HttpServer, SaysWhatIsWrongAsSoonAsItIsSeen) {
    EXPECT_TRUE(answer_to("HELLO\r\n").ends_with("400 Bad Request"));
    EXPECT_TRUE(answer_to("GET / HTTP/2.0\r\n\r\n")
                    .starts_with("HTTP/1.1 505 HTTP Version Not Supported: unsupported protocol "
                                 "version\r\n"));
}

TEST(HttpServer, ClosesAConnectionThatDribbles) {
    const auto server = serve({.timeout = 30ms});
    raw_client client(server->port());
    client.send("GET / HT");
    EXPECT_EQ(client.read_all(), "");
}

TEST(HttpServer, ClosesAnIdleConnection) {
    const auto server = serve({.timeout = 30ms});
    raw_client client(server->port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.read_all().ends_with("</>"));
}

TEST(HttpServer, GivesANewConnectionThePlaceOfTheOneThatWaitsLongest) {
    const auto server = serve({.max_connections = 2});
    raw_client first(server->port()), second(server->port());
    for (auto* client : {&first, &second}) {
        client->send("GET /in HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_TRUE(client->read_until("</in>").ends_with("</in>"));
    }
    raw_client third(server->port());
    third.send("GET /new HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(third.read_until("</new>").ends_with("</new>"));
    EXPECT_EQ(first.read_all(), "");
    second.send("GET /still HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(second.read_until("</still>").ends_with("</still>"));
}

/// One that has its answer and may ask again.
std::unique_ptr<raw_client> served(const http_server& by, const char* from) {
    auto made = std::make_unique<raw_client>(by.port(), from);
    made->send("GET /in HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(made->read_until("</in>").ends_with("</in>"));
    return made;
}

TEST(HttpServer, GivesNobodysPlaceToAPartyThatHasMore) {
    const auto server = serve({.max_connections = 3});
    const auto one = served(*server, "127.0.0.1");
    std::vector<std::unique_ptr<raw_client>> many;
    for (int i = 0; i < 9; ++i) many.push_back(served(*server, "127.0.0.2"));
    one->send("GET /still HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(one->read_until("</still>").ends_with("</still>"));
    const auto other = served(*server, "127.0.0.3");
    EXPECT_EQ(many[7]->read_all(), "");
}

TEST(HttpServer, IsNotKeptByAPartyThatTakesNoAnswer) {
    const std::string large(20'000'000, 'y');
    const auto server = serve({.max_connections = 2}, [&](std::string_view target) {
        return target == "/in" ? echo(target) : http_response{200, "text/plain", large};
    });
    raw_client first(server->port(), "127.0.0.2"), second(server->port(), "127.0.0.2");
    for (auto* client : {&first, &second}) {
        client->send("GET / HTTP/1.0\r\n\r\n");
        EXPECT_TRUE(client->read_until("yyy").ends_with("yyy"));
    }
    const auto other = served(*server, "127.0.0.1");
    EXPECT_EQ(second.read_all().size(), large.size() - 3) << "one place is enough";
}

TEST(HttpServer, SaysThatItLacksDescriptorsAndGoesOn) {
    std::promise<std::string> told;
    const auto server =
        serve({.name = "Monitoring", .log = logger([&](log_level, std::string_view line) {
                                         told.set_value(std::string(line));
                                     })});
    refused_accepts = 1;
    raw_client client(server->port());
    client.send("GET / HTTP/1.0\r\n\r\n");
    auto line = told.get_future();
    ASSERT_EQ(line.wait_for(60s), std::future_status::ready);
    EXPECT_EQ(line.get(), "Temporary Monitoring Accept Error(too many open files), sleeping 10ms");
    EXPECT_TRUE(client.read_all().ends_with("</>"));
}

TEST(HttpServer, TurnsConnectionsAwayWhileAllAreBeingAnswered) {
    // More than the sockets' buffers hold: the answer stays under way until it is read.
    const std::string large(20'000'000, 'y');
    const auto server = serve({.max_connections = 1}, [&](std::string_view) {
        return http_response{200, "text/plain", large};
    });
    raw_client first(server->port());
    first.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(first.read_until("yyy").ends_with("yyy"));
    raw_client second(server->port());
    EXPECT_EQ(second.read_all(), "");
    EXPECT_EQ(first.read_all().size(), large.size() - 3);
}

TEST(HttpServer, StopsReadingFromWhoGoesOnSendingNonsense) {
    const auto server = serve();
    raw_client client(server->port());
    const std::string piece(1'000'000, 'x');
    for (int sent = 0; sent < 32; ++sent) {
        if (!client.send(piece)) return;
    }
    ADD_FAILURE() << "32 MB were taken";
}

TEST(HttpServer, SendsALargeAnswerWhole) {
    const std::string large(5'000'000, 'y');
    const auto server = serve({}, [&](std::string_view) {
        return http_response{200, "text/plain", large};
    });
    raw_client client(server->port());
    client.send("GET / HTTP/1.0\r\n\r\n");
    const auto answer = client.read_all();
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + large));
}

TEST(HttpServer, SaysWhyItCannotListen) {
    const auto server = serve();
    const auto second = http_server::listen({.port = server->port()}, echo);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), boost::system::errc::address_in_use);
    EXPECT_EQ(second.error().detail(), "listen tcp 127.0.0.1:" + std::to_string(server->port()) +
                                           ": bind: address already in use");
    EXPECT_FALSE(http_server::listen({.host = "no such host"}, echo));
}

TEST(HttpServer, ListensOnAllAddressesWithoutAHost) {
    const auto server = serve({.host = ""});
    raw_client client(server->port());
    client.send("GET /any HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(client.read_all().ends_with("</any>"));
}

TEST(HttpServer, ClosesItsConnectionsWhenItEnds) {
    auto server = serve();
    raw_client client(server->port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.read_until("</>").ends_with("</>"));
    server.reset();
    EXPECT_EQ(client.read_all(), "");
}

} // namespace
} // namespace pipit::net
