// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/log_file.hpp>
#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
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

TEST_F(LogFile, OneThatCannotBeOpenedIsNamed) {
    const auto file = log_file::open({"/proc/nonexistent/log"});
    ASSERT_TRUE(file.has_error());
    EXPECT_EQ(file.error().detail(),
              "error opening file: open /proc/nonexistent/log: no such file or directory");
}

} // namespace
} // namespace pipit::server
