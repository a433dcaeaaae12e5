// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/party.hpp>

#include <gtest/gtest.h>

namespace pipit {
namespace {

TEST(Party, IsAnIpv4Address) {
    EXPECT_EQ(party("192.0.2.1"), party("192.0.2.1"));
    EXPECT_NE(party("192.0.2.1"), party("192.0.2.2"));
    EXPECT_NE(party("192.0.2.1"), party("1.2.0.192"));
    EXPECT_NE(party("0.0.0.0"), party());
}

TEST(Party, IsTheSameIpv4AddressAsIpv6WritesIt) {
    for (const auto* const same :
         {"::ffff:192.0.2.1", "::FFFF:c000:201", "0:0:0:0:0:ffff:192.0.2.1", "64:ff9b::192.0.2.1",
          "64:ff9b::c000:201"}) {
        EXPECT_EQ(party(same), party("192.0.2.1")) << same;
    }
    EXPECT_NE(party("::ffff:192.0.2.2"), party("192.0.2.1"));
    EXPECT_NE(party("::192.0.2.1"), party("192.0.2.1")) << "which nobody uses any more";
}

TEST(Party, IsANetworkOf64BitsInIpv6) {
    for (const auto* const same :
         {"2001:db8:1:2::", "2001:db8:1:2::1", "2001:0DB8:0001:0002:ffff:ffff:ffff:ffff",
          "2001:db8:1:2:0:0:192.0.2.1"}) {
        EXPECT_EQ(party(same), party("2001:db8:1:2:3:4:5:6")) << same;
    }
    EXPECT_NE(party("2001:db8:1:3::1"), party("2001:db8:1:2::1"));
    EXPECT_NE(party("2001:db8::1:2"), party("2001:db8:1:2::"));
    EXPECT_EQ(party("fe80::1"), party("fe80::2"));
    EXPECT_EQ(party("fe80::1%2"), party("fe80::1"));
    EXPECT_NE(party("::1"), party("127.0.0.1"));
    EXPECT_NE(party("::1"), party());
}

TEST(Party, IsOneForAllWhoHaveNoAddress) {
    for (const auto* const none : {"",
                                   "host",
                                   "192.0.2",
                                   "192.0.2.1.1",
                                   "192.0.2.256",
                                   "192.0.2.01",
                                   "192.0.2.-1",
                                   ".1.2.3",
                                   "1.2.3.",
                                   ":",
                                   ":::",
                                   "1:2:3:4:5:6:7",
                                   "1:2:3:4:5:6:7:8:9",
                                   "1:2:3:4:5:6:7:8::",
                                   "1::2::3",
                                   "::12345",
                                   "::g",
                                   "1:",
                                   ":1",
                                   "::1.2.3",
                                   "1:2:3:4:5:6:7:1.2.3.4",
                                   "[::1]",
                                   " 192.0.2.1",
                                   "192.0.2.1:80"}) {
        EXPECT_EQ(party(none), party()) << none;
    }
}

} // namespace
} // namespace pipit
