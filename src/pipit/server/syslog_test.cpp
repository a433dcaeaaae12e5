// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/log_limits.hpp>
#include <pipit/server/syslog.hpp>
#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
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
    if (!is_stream) return;
    for (std::size_t at = 0; at < all.size(); at = all.find('\n', at) + 1) {
        ASSERT_EQ(all[at], '<') << all.substr(at, 2000);
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Syslog, testing::Values(SOCK_DGRAM, SOCK_STREAM),
                         [](const auto& kind) {
                             return kind.param == SOCK_DGRAM ? "Datagrams" : "AStream";
                         });

TEST(SyslogOfNobody, IsAnErrorAtTheStart) {
    const auto log = syslog::open("unix:///proc/nonexistent", "tag");
    ASSERT_TRUE(log.has_error());
    EXPECT_EQ(log.error().detail(),
              "error connecting to syslog: /proc/nonexistent: no such file or directory");
}

} // namespace
} // namespace pipit::server
