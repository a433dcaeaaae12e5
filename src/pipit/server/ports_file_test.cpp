// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/ports_file.hpp>

#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>

#include <filesystem>
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
