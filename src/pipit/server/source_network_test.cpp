// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/source_network.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

bool contains(const std::string& network, const std::string& address) {
    return source_network::parse(network).value().contains(address);
}

TEST(SourceNetwork, ContainsItsAddressesAndNoOthers) {
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.3.4"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(contains("192.168.1.128/25", "192.168.1.200"));
    EXPECT_FALSE(contains("192.168.1.128/25", "192.168.1.100"));
    EXPECT_TRUE(contains("127.0.0.1/32", "127.0.0.1"));
    EXPECT_TRUE(contains("0.0.0.0/0", "1.2.3.4"));
    EXPECT_TRUE(contains("2001:db8::/32", "2001:db8:1::2"));
    EXPECT_FALSE(contains("2001:db8::/32", "2001:db9::1"));
    EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
    // A socket that takes both kinds shows IPv4 addresses like this.
    EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
    // As in Go: a network of IPv6 holds none of them, unless it is of these only.
    EXPECT_FALSE(contains("::/0", "127.0.0.1"));
    EXPECT_FALSE(contains("::/0", "::ffff:127.0.0.1"));
    EXPECT_FALSE(contains("::ffff:0.0.0.0/95", "1.2.3.4"));
    EXPECT_TRUE(contains("::/0", "::1"));
    EXPECT_TRUE(contains("::ffff:0.0.0.0/96", "1.2.3.4"));
    EXPECT_TRUE(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
    EXPECT_FALSE(contains("::ffff:10.0.0.0/104", "11.1.2.3"));
    EXPECT_FALSE(contains("10.0.0.0/8", ""));
    EXPECT_FALSE(contains("10.0.0.0/8", "localhost"));
}

TEST(SourceNetwork, RefusesWhatIsNone) {
    for (const auto* text : {"", "10.0.0.1", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "::/129",
                             "10.0.0.0/-1", "10.0.0.0/8x", "x/8", "10.0.0.0/8/8"}) {
        EXPECT_FALSE(source_network::parse(text)) << text;
    }
}

} // namespace
} // namespace pipit::server
