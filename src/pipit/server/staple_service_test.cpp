// SPDX-License-Identifier: Apache-2.0
// A server that shows what an authority says of its own certificate.
#include <pipit/auth/test_ocsp.hpp>
#include <pipit/net/http.hpp>
#include <pipit/server.hpp>
#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <arpa/inet.h>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;
using auth::test::make_answer;
using auth::test::make_holder;

/// A connection that says nothing; negative: nobody has taken it.
int connect_to(std::uint16_t port) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{60, 0};
    ::setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
        return made;
    }
    ::close(made);
    return -1;
}

struct StapleService : testing::Test {
    template <class Writer>
    std::string write(const std::string& name, Writer writer) {
        const auto path = folder / name;
        std::FILE* const to = std::fopen(path.c_str(), "we");
        EXPECT_TRUE(to != nullptr && writer(to) == 1);
        std::fclose(to);
        return path;
    }
    /// A server, its certificate good for a few seconds.
    std::unique_ptr<embedded_server> start() {
        const auto url = "OCSP;URI:http://127.0.0.1:" + std::to_string(authority->port());
        own = make_holder({.name = "localhost", .extensions = {{NID_info_access, url}}}, &root);
        const auto certificate = write(
            "own.pem", [&](std::FILE* to) { return PEM_write_X509(to, own.certificate.get()); });
        const auto key = write("key.pem", [&](std::FILE* to) {
            return PEM_write_PrivateKey(to, own.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
        const auto issuer = write(
            "root.pem", [&](std::FILE* to) { return PEM_write_X509(to, root.certificate.get()); });
        auto made = embedded_server::start(
            {.configuration = "ocsp { mode: always }\n"
                              "tls { cert_file: \"" +
                              certificate + "\", key_file: \"" + key + "\", ca_file: \"" + issuer +
                              "\" }\n"
                              "websocket { listen: \"127.0.0.1:-1\", no_tls: true, "
                              "handshake_timeout: 600 }\n",
             .log = [this](log_level, std::string_view line) {
                 const std::lock_guard held(lock);
                 log.emplace_back(line);
                 changed.notify_all();
             }});
        EXPECT_TRUE(made) << made.error().detail();
        return std::move(*made);
    }
    bool logs(std::string_view line) {
        std::unique_lock held(lock);
        return changed.wait_for(held, 60s, [&] { return !log.empty() && log.back() == line; });
    }
    void says(int what) {
        const std::lock_guard held(lock);
        status = what;
    }
    net::http_response answer() {
        const std::lock_guard held(lock);
        return {200, "application/ocsp-response",
                make_answer(own, root, root, {.status = status, .seconds_until = 4})};
    }

    std::mutex lock;
    std::condition_variable changed;
    std::vector<std::string> log;
    int status = V_OCSP_CERTSTATUS_GOOD;
    const support::temporary_folder temporary;
    std::filesystem::path folder = temporary.path();
    auth::test::holder root = make_holder({.name = "Root"});
    auth::test::holder own;
    std::unique_ptr<net::http_server> authority =
        std::move(*net::http_server::listen({}, [this](std::string_view) { return answer(); }));
};

TEST_F(StapleService, EndsAServerInAnotherProgramWhoseCertificateIsCalledBack) {
    const auto server = start();
    const int shakes_hands = connect_to(server->websocket_port());
    ASSERT_GE(shakes_hands, 0);
    says(V_OCSP_CERTSTATUS_REVOKED);
    EXPECT_TRUE(logs("Server Exiting.."));
    char byte = 0;
    EXPECT_EQ(::recv(shakes_hands, &byte, 1, 0), 0) << "who was about to come in";
    ::close(shakes_hands);
    EXPECT_LT(connect_to(server->port()), 0);
    auto inside = server->connect();
    const auto read = inside.read_some({&byte, 1}, 60s);
    EXPECT_TRUE(read && *read == 0) << "its other end is closed";
    EXPECT_FALSE(server->reload(""));
}

} // namespace
} // namespace pipit::server
