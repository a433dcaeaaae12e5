// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/distinguished_name.hpp>
#include <pipit/auth/error.hpp>

#include <gtest/gtest.h>

namespace pipit::auth {
namespace {

distinguished_name name(std::string_view text) { return distinguished_name::parse(text).value(); }

TEST(DistinguishedName, IsAListOfAttributes) {
    const auto read = name("CN=client, OU = Orders ,O=Example\\, Inc+L=Here");
    ASSERT_EQ(read.parts.size(), 3u);
    EXPECT_EQ(read.parts[0][0].type, "CN");
    EXPECT_EQ(read.parts[0][0].value, "client");
    EXPECT_EQ(read.parts[1][0].type, "OU");
    EXPECT_EQ(read.parts[1][0].value, "Orders");
    ASSERT_EQ(read.parts[2].size(), 2u);
    EXPECT_EQ(read.parts[2][0].value, "Example, Inc");
    EXPECT_EQ(read.parts[2][1].value, "Here");
}

TEST(DistinguishedName, MayHaveBytesInHexadecimalForm) {
    EXPECT_EQ(name("CN=\\c3\\a9t\\C3\\A9\\ ").parts[0][0].value, "\xc3\xa9t\xc3\xa9 ");
}

TEST(DistinguishedName, MayBeEmpty) { EXPECT_TRUE(name("").parts.empty()); }

TEST(DistinguishedName, NonsenseIsRefused) {
    for (const auto* text :
         {"client", "CN=a,b", ",", "CN=a\\", "CN=a\\x1", "CN=a\\1", "=a", "CN=#0401"}) {
        EXPECT_EQ(distinguished_name::parse(text).error(), errc::invalid_distinguished_name)
            << text;
    }
}

TEST(DistinguishedName, TypesHaveNoCaseAndValuesHaveOne) {
    EXPECT_TRUE(name("cn=a").equals(name("CN=a")));
    EXPECT_FALSE(name("CN=A").equals(name("CN=a")));
}

TEST(DistinguishedName, EqualNamesHaveTheirPartsInTheSameOrder) {
    EXPECT_TRUE(name("CN=a,O=b").equals(name("CN=a, O=b")));
    EXPECT_FALSE(name("CN=a,O=b").equals(name("O=b,CN=a")));
    EXPECT_FALSE(name("CN=a,O=b").equals(name("CN=a")));
    EXPECT_TRUE(name("CN=a+O=b").equals(name("O=b+CN=a")));
    EXPECT_TRUE(name("CN=a,O=b").has_the_parts_of(name("O=b,CN=a")));
    EXPECT_FALSE(name("CN=a,O=b").has_the_parts_of(name("O=b,CN=c")));
    EXPECT_FALSE(name("CN=a,CN=a").has_the_parts_of(name("CN=a,CN=b")));
}

} // namespace
} // namespace pipit::auth
