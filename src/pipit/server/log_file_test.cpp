// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/log_file.hpp>
#include <support/no_descriptors.hpp>
#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace pipit::server {
namespace {

namespace fs = std::filesystem;

class LogFile : public testing::Test {
protected:
    [[nodiscard]] std::string path() const { return (folder_ / "log").string(); }
    [[nodiscard]] std::size_t file_count() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
    }
    [[nodiscard]] std::string contents() const {
        std::ostringstream text;
        text << std::ifstream(path()).rdbuf();
        return text.str();
    }

    const support::temporary_folder temporary_;
    fs::path folder_ = temporary_.path();
    log_prefix prefix_{.pid = 1, .with_time = false};
};

constexpr wall_time at(std::int64_t second) {
    return wall_time(std::chrono::seconds(1795234917 + second));
}

TEST_F(LogFile, IsAppendedTo) {
    for (int i = 0; i < 2; ++i) {
        auto file = log_file::open({path()});
        ASSERT_TRUE(file);
        file->append("a line\n", prefix_, at(0));
    }
    EXPECT_EQ(contents(), "a line\na line\n");
}

TEST_F(LogFile, IsPutAsideAtItsLimit) {
    auto file = log_file::open({path(), 10});
    ASSERT_TRUE(file);
    file->append("exactly 10", prefix_, at(0));
    EXPECT_EQ(file_count(), 1u);
    file->append("\n", prefix_, at(0));
    EXPECT_EQ(file_count(), 2u);
    EXPECT_TRUE(contents().starts_with("[1] [INF] Rotated log, backup saved as \"")) << contents();
}

TEST_F(LogFile, OnlyTheNewestAreKept) {
    auto file = log_file::open({path(), 1000, 3});
    ASSERT_TRUE(file);
    for (int i = 0; i < 6; ++i) file->append(std::string(1001, 'x'), prefix_, at(i));
    EXPECT_EQ(file_count(), 3u);
    EXPECT_NE(contents().find("Purged log file \"log.2026."), std::string::npos) << contents();
}

TEST_F(LogFile, GoesOnWhenItCannotBePutAsideAndTriesItAgain) {
    if (support::checks_need_descriptors) GTEST_SKIP() << "run with ThreadSanitizer";
    auto file = log_file::open({path(), 200});
    ASSERT_TRUE(file);
    {
        const support::no_descriptors during_this;
        file->append(std::string(200, 'x').append("\n"), prefix_, at(0));
    }
    EXPECT_EQ(file_count(), 1u);
    EXPECT_NE(contents().find("\n[1] [ERR] Unable to rotate the log (open " + path() +
                              ": too many open files), it is tried again at size 401\n"),
              std::string::npos)
        << contents();
    file->append(std::string(400, 'x').append("\n"), prefix_, at(1));
    EXPECT_EQ(file_count(), 2u);
    EXPECT_TRUE(contents().starts_with("[1] [INF] Rotated log, backup saved as \"")) << contents();
}

TEST_F(LogFile, OneThatWasMovedAwayIsBegunAgainAtItsLimit) {
    auto file = log_file::open({path(), 10});
    ASSERT_TRUE(file);
    fs::rename(path(), path() + ".moved");
    file->append("more than 10\n", prefix_, at(0));
    file->append("a line\n", prefix_, at(0));
    EXPECT_EQ(contents(), "a line\n");
}

TEST_F(LogFile, WaitsForNobodyToReadAPipe) {
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    auto file = log_file::open({path(), 3});
    ASSERT_TRUE(file);
    file->append("a line\n", prefix_, at(0));
    const auto reader = ::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    std::array<char, 64> bytes{};
    const auto count = ::read(reader, bytes.data(), bytes.size());
    EXPECT_EQ(std::string(bytes.data(), static_cast<std::size_t>(count)), "a line\n");
    ::close(reader);
}

TEST_F(LogFile, OneThatCannotBeOpenedIsNamed) {
    const auto file = log_file::open({"/proc/nonexistent/log"});
    ASSERT_TRUE(file.has_error());
    EXPECT_EQ(file.error().detail(),
              "error opening file: open /proc/nonexistent/log: no such file or directory");
}

} // namespace
} // namespace pipit::server
