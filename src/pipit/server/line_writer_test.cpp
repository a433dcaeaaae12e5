// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/line_writer.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

constexpr log_prefix prefix{.pid = 1, .with_time = false};
constexpr wall_time now{};
constexpr auto impatient = 0ns;

/// A pipe whose reader sleeps. The writing end belongs to whoever writes.
struct sleeping_reader {
    sleeping_reader() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0); }
    ~sleeping_reader() { ::close(ends[0]); }
    sleeping_reader(const sleeping_reader&) = delete;
    sleeping_reader& operator=(const sleeping_reader&) = delete;

    [[nodiscard]] std::string read_all() const {
        std::string all;
        std::array<char, 4096> some{};
        for (;;) {
            const auto count = ::read(ends[0], some.data(), some.size());
            if (count <= 0) return all;
            all.append(some.data(), static_cast<std::size_t>(count));
        }
    }

    std::array<int, 2> ends{};
};

const std::string line = "[1] [INF] " + std::string(300, 'x') + "\n";

/// Writes until a line is lost; how many were taken.
std::size_t fill(line_writer& out) {
    for (std::size_t taken = 0;; ++taken) {
        out.write(line, prefix, now);
        if (out.is_losing()) return taken;
    }
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

TEST(LineWriter, GoesOnWithoutAReaderAndSaysWhatWasLost) {
    const sleeping_reader reader;
    line_writer out(reader.ends[1], impatient);
    const auto taken = fill(out);
    for (int i = 0; i < 4; ++i) out.write(line, prefix, now);
    EXPECT_EQ(out.why(), "nobody reads it");
    EXPECT_EQ(count_of(reader.read_all(), line), taken);
    out.write(line, prefix, now);
    EXPECT_FALSE(out.is_losing());
    const auto later = reader.read_all();
    EXPECT_TRUE(later.ends_with("[1] [WRN] Lost 5 lines of the log: nobody reads it\n" + line))
        << later;
}

TEST(LineWriter, BeginsANewLineBehindOneThatWasCut) {
    const sleeping_reader reader;
    line_writer out(reader.ends[1], impatient);
    const std::string long_line(300'000, 'y'); // More than a pipe holds.
    out.write(long_line, prefix, now);
    EXPECT_TRUE(out.is_losing());
    (void)reader.read_all();
    out.write(line, prefix, now);
    EXPECT_EQ(reader.read_all(), "\n[1] [WRN] Lost 1 line of the log: nobody reads it\n" + line);
}

TEST(LineWriter, WaitsALittleForASlowReaderButNotEachTime) {
    const sleeping_reader reader;
    line_writer out(reader.ends[1], 50ms);
    (void)fill(out);
    const auto begun = std::chrono::steady_clock::now();
    constexpr int lines = 1000;
    for (int i = 0; i < lines; ++i) out.write(line, prefix, now);
    // Each with the patience of the first would be 50 s.
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 25s);
}

/// Until it takes no line more.
void fill_by_others(const sleeping_reader& reader) {
    while (::write(reader.ends[1], line.data(), line.size()) > 0) {
    }
    while (::write(reader.ends[1], "x", 1) > 0) {
    }
}

/// Until that thread of this process waits for something.
void wait_until_it_waits(pid_t thread) {
    const auto path = "/proc/self/task/" + std::to_string(thread) + "/stat";
    const auto give_up_at = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < give_up_at) {
        std::string state;
        std::getline(std::ifstream(path), state);
        if (state.find(") S ") != std::string::npos) return;
        std::this_thread::yield();
    }
    ADD_FAILURE() << "it never waits";
}

TEST(LineWriter, LosesNothingToAReaderThatIsOnlyLate) {
    const sleeping_reader reader;
    line_writer out(reader.ends[1], 60s);
    fill_by_others(reader);
    std::string all;
    std::thread late([&all, &reader, writer = ::gettid()] {
        wait_until_it_waits(writer);
        all = reader.read_all();
    });
    out.write(line, prefix, now);
    EXPECT_FALSE(out.is_losing());
    late.join();
    EXPECT_TRUE((all + reader.read_all()).ends_with(line));
}

TEST(LineWriter, WaitsAgainWhenTimeHasPassed) {
    const sleeping_reader reader;
    constexpr auto patience = 30ms;
    line_writer out(reader.ends[1], patience);
    (void)fill(out); // All patience is gone.
    const auto until =
        std::chrono::steady_clock::now() + patience * (limits::log_patience_regained_in + 1);
    while (std::chrono::steady_clock::now() < until) {
        (void)reader.read_all();
        out.write(line, prefix, now);
    }
    fill_by_others(reader);
    const auto begun = std::chrono::steady_clock::now();
    out.write(line, prefix, now);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, patience / 2);
    EXPECT_TRUE(out.is_losing());
}

TEST(LineWriter, IsNotHeldUpByASocketThatOthersWaitFor) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    line_writer out(ends[1], impatient);
    EXPECT_GT(fill(out), 0u);
    ::close(ends[0]);
    out.write(line, prefix, now);
    EXPECT_EQ(out.why(), "broken pipe");
}

TEST(LineWriter, TellsOfAFullDisk) {
    line_writer out(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    out.write(line, prefix, now);
    EXPECT_TRUE(out.is_losing());
    EXPECT_EQ(out.why(), "no space left on device");
}

} // namespace
} // namespace pipit::server
