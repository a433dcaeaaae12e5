// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ports_file.hpp>

#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/resource.h>

namespace pipit::server {
namespace {

TEST(PortsFile, HasTheUrlsOfWhatIsListenedFor) {
    const std::vector<listening_place> places = {{"nats", "nats", "127.0.0.1", 4222},
                                                 {"monitoring", "http", "::1", 8222},
                                                 {"websocket", "ws", "127.0.0.1", 443}};
    EXPECT_EQ(ports_json(places, {}),
              R"({"nats":["nats://127.0.0.1:4222"],"monitoring":["http://[::1]:8222"],)"
              R"("websocket":["ws://127.0.0.1:443"]})");
}

TEST(PortsFile, NamesEveryAddressOfOneThatListensEverywhere) {
    EXPECT_EQ(ports_json({{"nats", "nats", "0.0.0.0", 4222}}, {"127.0.0.1", "192.0.2.1", "::1"}),
              R"({"nats":["nats://127.0.0.1:4222","nats://192.0.2.1:4222","nats://[::1]:4222"]})");
}

TEST(PortsFile, HasTheNameThatToolsWaitFor) {
    EXPECT_EQ(ports_file_path("/run/x", 12), "/run/x/nats-server_12.ports");
    EXPECT_EQ(ports_file_path("/run/x/", 12), "/run/x/nats-server_12.ports");
}

TEST(PortsFile, AFileThatCannotBeWrittenIsNamed) {
    const auto written = write_file("/proc/nonexistent/x", "1");
    ASSERT_TRUE(written.has_error());
    EXPECT_EQ(written.error().detail(), "open /proc/nonexistent/x: no such file or directory");
}

std::string contents_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

TEST(PortsFile, WhoReadsItFindsAllOfIt) {
    const support::temporary_folder folder;
    const auto path = folder.path() / "pid";
    ASSERT_TRUE(write_file(path, "12345"));
    std::filesystem::permissions(path, std::filesystem::perms::owner_read |
                                           std::filesystem::perms::owner_write);
    std::ifstream reader(path);
    ASSERT_TRUE(write_file(path, "6"));
    std::string read;
    reader >> read;
    EXPECT_EQ(read, "12345") << "what is opened is not cut off";
    EXPECT_EQ(contents_of(path), "6");
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(PortsFile, WritesToWhatNothingCanTakeThePlaceOf) {
    const support::temporary_folder folder;
    const auto file = folder.path() / "file", link = folder.path() / "link";
    std::ofstream(file) << "12345";
    std::filesystem::create_symlink(file, link);
    ASSERT_TRUE(write_file(link, "6"));
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(contents_of(file), "6");
    EXPECT_TRUE(write_file("/dev/null", "6"));
}

TEST(PortsFile, HalfAFileIsNone) {
    const support::temporary_folder folder;
    const auto path = (folder.path() / "pid").string();
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    auto full = before;
    full.rlim_cur = 2;
    ::setrlimit(RLIMIT_FSIZE, &full);
    const auto written = write_file(path, "12345");
    ::setrlimit(RLIMIT_FSIZE, &before);
    ASSERT_TRUE(written.has_error());
    EXPECT_EQ(written.error().detail(), "write " + path + ": no space left on device");
    EXPECT_FALSE(std::filesystem::exists(path));
}

} // namespace
} // namespace pipit::server
