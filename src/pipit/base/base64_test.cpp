// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/base64.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace pipit;

TEST(Base64, WritesAsTheRfc) {
    EXPECT_EQ(to_base64(""), "");
    EXPECT_EQ(to_base64("f"), "Zg==");
    EXPECT_EQ(to_base64("fo"), "Zm8=");
    EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(to_base64("\xfb\xff"), "+/8=");
    EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
    EXPECT_EQ(to_base64url("f"), "Zg");
}

TEST(Base64, ReadsWhatItWrote) {
    std::string bytes;
    for (int i = 0; i < 600; ++i) {
        EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
        EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
        bytes += static_cast<char>(i * 7);
    }
}

TEST(Base64, HasOneTextForSomeBytes) {
    for (const auto* const wrong : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=", "==", "====",
                                    "Z===", "Zg==Zg==", "Zm 8", "Zm8=\n", "-_8=", "Zm9v\xff"}) {
        EXPECT_FALSE(from_base64(wrong)) << wrong;
    }
    for (const auto* const wrong : {"Z", "Zh", "Zg==", "Zm9", "+/8", "Zm9vY", "Zm9v "}) {
        EXPECT_FALSE(from_base64url(wrong)) << wrong;
    }
}

} // namespace
