// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/read_file.hpp>
#include <support/temporary_folder.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <sys/stat.h>
#include <thread>

namespace pipit::net {
namespace {

using namespace std::chrono_literals;

/// A FIFO in a folder of its own.
struct fifo {
    fifo() { EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0); }

    const support::temporary_folder folder;
    const std::string path = folder.path() / "server.conf";
};

TEST(ReadFile, WaitsNotLongWhereNobodyWrites) {
    const fifo given;
    const auto read = read_file(given.path, 100, 1ms);
    ASSERT_TRUE(read.has_error());
    EXPECT_EQ(read.error().detail(), "read " + given.path + ": nobody has written all of it");
}

TEST(ReadFile, WaitsNotLongWhereWhoWritesDoesNotEnd) {
    const fifo given;
    std::fstream writer(given.path); // Reads too: to open it waits for nobody.
    writer << "port: 1" << std::flush;
    EXPECT_TRUE(read_file(given.path, 100, 1ms).has_error());
}

TEST(ReadFile, TakesAFifoInParts) {
    const fifo given;
    std::jthread writer([&] {
        std::ofstream to(given.path);
        to << "port: 1" << std::flush << "\nhost: a" << std::flush;
    });
    const auto read = read_file(given.path, 100, 60s);
    ASSERT_TRUE(read) << read.error().detail();
    EXPECT_EQ(*read, "port: 1\nhost: a");
}

} // namespace
} // namespace pipit::net
