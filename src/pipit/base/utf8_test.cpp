// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/utf8.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit;

TEST(Utf8, IsToldFromOtherBytes) {
    for (const auto* text : {"", "a", "ö", "€", "😀", "a€b"}) EXPECT_TRUE(is_utf8(text));
    for (const auto* text : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                             "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "a\xff"}) {
        EXPECT_FALSE(is_utf8(text));
    }
}

} // namespace
