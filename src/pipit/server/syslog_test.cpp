// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/log_limits.hpp>
#include <pipit/server/syslog.hpp>
#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

/// A syslog daemon on a socket of this machine.
class daemon {
public:
    daemon(const std::string& path, int type)
        : path_(path), socket_(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
        if (type == SOCK_STREAM) ::listen(socket_, 8);
    }
    ~daemon() {
        if (connection_ >= 0) ::close(connection_);
        ::close(socket_);
        ::unlink(path_.c_str());
    }
    daemon(const daemon&) = delete;
    daemon& operator=(const daemon&) = delete;

    void accept() { connection_ = ::accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK); }
    void wait_a_little() const {
        pollfd wanted{.fd = socket_, .events = POLLIN, .revents = 0};
        ::poll(&wanted, 1, 20);
    }
    [[nodiscard]] std::string read() const {
        std::array<char, 65536> some{};
        const auto from = connection_ >= 0 ? connection_ : socket_;
        const auto count = ::recv(from, some.data(), some.size(), 0);
        return {some.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
    }

private:
    std::string path_;
    int socket_;
    int connection_ = -1;
};

class Syslog : public testing::TestWithParam<int> {
protected:
    [[nodiscard]] std::string path() const { return (temporary_.path() / "log").string(); }
    /// Says it until somebody hears it.
    static std::string heard(syslog& log, daemon& by, bool accepts) {
        for (const auto until = std::chrono::steady_clock::now() + 30s;
             std::chrono::steady_clock::now() < until;) {
            log.send(log_level::info, "back again", {});
            if (accepts) by.accept();
            if (auto text = by.read(); !text.empty()) return text;
            by.wait_a_little();
        }
        return {};
    }

private:
    const support::temporary_folder temporary_;
};

TEST_P(Syslog, FindsADaemonAgainThatWasStartedAnew) {
    const bool is_stream = GetParam() == SOCK_STREAM;
    auto first = std::make_unique<daemon>(path(), GetParam());
    auto log = syslog::open("unix://" + path(), "tag");
    ASSERT_TRUE(log);
    if (is_stream) first->accept();
    log->send(log_level::info, "a line", {});
    EXPECT_NE(first->read().find(" tag["), std::string::npos);
    first.reset();
    for (int i = 0; i < 3; ++i) log->send(log_level::info, "for nobody", {});
    daemon second(path(), GetParam());
    EXPECT_NE(heard(*log, second, is_stream).find("back again"), std::string::npos);
}

TEST_P(Syslog, OneThatTakesNothingHoldsUpNobodyAndCutsNoLine) {
    const bool is_stream = GetParam() == SOCK_STREAM;
    daemon sleeping(path(), GetParam());
    auto log = syslog::open("unix://" + path(), "tag");
    ASSERT_TRUE(log);
    if (is_stream) sleeping.accept();
    const std::string text(1000, 'x');
    for (int i = 0; i < 2000; ++i) log->send(log_level::info, text, {});
    std::string all;
    for (auto some = sleeping.read(); !some.empty(); some = sleeping.read()) {
        all += some;
        EXPECT_TRUE(is_stream || some.ends_with(text));
    }
    log->send(log_level::info, "last", {});
    all += sleeping.read();
    EXPECT_NE(all.find("]: last"), std::string::npos);
    all += sleeping.read();
    std::size_t taken = 0;
    for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++taken;
    EXPECT_NE(all.find("]: Lost " + std::to_string(2000 - taken) + " lines of the log: "),
              std::string::npos)
        << taken;
    if (!is_stream) return;
    for (std::size_t at = 0; at < all.size();) {
        ASSERT_EQ(all[at], '<') << all.substr(at, 2000);
        const auto end = all.find('\n', at);
        ASSERT_NE(end, std::string::npos) << all.substr(at);
        at = end + 1;
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Syslog, testing::Values(SOCK_DGRAM, SOCK_STREAM),
                         [](const auto& kind) {
                             return kind.param == SOCK_DGRAM ? "Datagrams" : "AStream";
                         });

/// One on a port of this machine, by IPv4 or IPv6.
struct remote_daemon {
    remote_daemon(sockaddr_storage at, socklen_t size, int type)
        : socket(::socket(at.ss_family, type | SOCK_CLOEXEC, 0)) {
        const int on = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (at.ss_family == AF_INET6) {
            ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        }
        auto* const address = reinterpret_cast<sockaddr*>(&at);
        is_there = ::bind(socket, address, size) == 0 &&
                   (type == SOCK_DGRAM || ::listen(socket, 8) == 0) &&
                   ::getsockname(socket, address, &size) == 0;
        port = ntohs(at.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&at)->sin6_port
                                              : reinterpret_cast<sockaddr_in*>(&at)->sin_port);
    }
    ~remote_daemon() { ::close(socket); }
    remote_daemon(const remote_daemon&) = delete;
    remote_daemon& operator=(const remote_daemon&) = delete;

    [[nodiscard]] std::string read(int from) const {
        pollfd wanted{.fd = from, .events = POLLIN, .revents = 0};
        if (::poll(&wanted, 1, 30'000) != 1) return {};
        std::array<char, 4096> some{};
        const auto count = ::recv(from, some.data(), some.size(), 0);
        return {some.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
    }

    int socket;
    bool is_there = false;
    std::uint16_t port = 0;
};

TEST(RemoteSyslog, IsFoundByAnyAddressOfItsName) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    ASSERT_EQ(::getaddrinfo("localhost", "0", &hints, &found), 0);
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
    int tried = 0;
    for (const auto* each = found; each != nullptr; each = each->ai_next) {
        sockaddr_storage address{};
        std::memcpy(&address, each->ai_addr, each->ai_addrlen);
        const remote_daemon one(address, each->ai_addrlen, SOCK_STREAM);
        if (!one.is_there) continue;
        ++tried;
        auto log = syslog::open("tcp://localhost:" + std::to_string(one.port), "tag");
        ASSERT_TRUE(log) << log.error().detail();
        log->send(log_level::info, "a line", {});
        const int connection = ::accept4(one.socket, nullptr, nullptr, SOCK_CLOEXEC);
        EXPECT_NE(one.read(connection).find("]: a line"), std::string::npos);
        ::close(connection);
    }
    EXPECT_GT(tried, 0);
}

TEST(RemoteSyslog, HearsTheFirstDatagramAfterItWasAway) {
    sockaddr_storage address{};
    auto& of_v4 = reinterpret_cast<sockaddr_in&>(address);
    of_v4.sin_family = AF_INET;
    of_v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto first = std::make_unique<remote_daemon>(address, sizeof of_v4, SOCK_DGRAM);
    ASSERT_TRUE(first->is_there);
    of_v4.sin_port = htons(first->port);
    auto log = syslog::open("udp://127.0.0.1:" + std::to_string(first->port), "tag");
    ASSERT_TRUE(log);
    first.reset();
    log->send(log_level::info, "for nobody", {});
    const remote_daemon second(address, sizeof of_v4, SOCK_DGRAM);
    ASSERT_TRUE(second.is_there);
    log->send(log_level::info, "back again", {});
    EXPECT_NE(second.read(second.socket).find("]: back again"), std::string::npos);
}

TEST(SyslogOfNobody, IsAnErrorAtTheStart) {
    const auto log = syslog::open("unix:///proc/nonexistent", "tag");
    ASSERT_TRUE(log.has_error());
    EXPECT_EQ(log.error().detail(),
              "error connecting to syslog: /proc/nonexistent: no such file or directory");
}

TEST(SyslogOfNobody, SaysWhyAPlaceIsNotFound) {
    const auto log = syslog::open("udp://127.0.0.1:no-such-service", "tag");
    ASSERT_TRUE(log.has_error());
    EXPECT_EQ(log.error().detail(), std::string("error connecting to syslog: "
                                                "127.0.0.1:no-such-service: ") +
                                        ::gai_strerror(EAI_SERVICE));
}

} // namespace
} // namespace pipit::server
