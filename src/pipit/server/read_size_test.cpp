// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/limits.hpp>
#include <pipit/server/read_size.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

TEST(ReadSize, GrowsForWhoFillsItWithWhatIsSoonDone) {
    read_size size;
    EXPECT_EQ(size.bytes(), read_size::first_bytes);
    size.note(100, 1us);
    EXPECT_EQ(size.bytes(), read_size::first_bytes);
    for (int i = 0; i < 3; ++i) size.note(size.bytes(), 100us);
    EXPECT_EQ(size.bytes(), limits::read_scratch_bytes);
    size.note(size.bytes(), 100us);
    EXPECT_EQ(size.bytes(), limits::read_scratch_bytes);
}

TEST(ReadSize, ShrinksToWhatFitsATurn) {
    read_size size;
    for (int i = 0; i < 3; ++i) size.note(size.bytes(), 100us);
    size.note(limits::read_scratch_bytes, 8ms);
    EXPECT_EQ(size.bytes(), limits::read_scratch_bytes / 8);
    size.note(size.bytes(), 900us);
    EXPECT_EQ(size.bytes(), limits::read_scratch_bytes / 8);
}

TEST(ReadSize, IsNeverSoSmallThatNothingGoesOn) {
    read_size size;
    size.note(10, 1s);
    EXPECT_EQ(size.bytes(), read_size::least_bytes);
    // A turn that took long for another reason, with little read, does not make it larger.
    size.note(1'000'000, 1001us);
    EXPECT_EQ(size.bytes(), read_size::least_bytes);
}

} // namespace
} // namespace pipit::server
