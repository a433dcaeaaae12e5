// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/error.hpp>
#include <pipit/net/proxy_protocol.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pipit::net {
namespace {

using namespace std::string_literals;
using status = proxy_header::status;

const auto signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string ipv4_header(char command = '\x21', char family = '\x11') {
    return signature + command + family + "\0\x0c"s + "\xc0\x00\x02\x01"s + "\x0a\x00\x00\x01"s +
           "\x30\x39"s + "\x10\x7e"s;
}

proxy_header complete(std::string_view input) {
    const auto header = parse_proxy_header(input);
    EXPECT_TRUE(header.has_value()) << header.error().message();
    if (!header) return {};
    EXPECT_EQ(header->state, status::complete);
    return *header;
}

TEST(ProxyHeader, TextNamesTheClientBehindTheProxy) {
    const auto header = complete("PROXY TCP4 192.0.2.1 10.0.0.1 12345 4222\r\nPING\r\n");
    EXPECT_EQ(header.source, (proxy_header::address{"192.0.2.1", 12345}));
    EXPECT_EQ(header.size, std::string_view("PROXY TCP4 192.0.2.1 10.0.0.1 12345 4222\r\n").size());
    EXPECT_EQ(complete("PROXY TCP6 2001:DB8:0::1 ::1 1 2\r\n").source,
              (proxy_header::address{"2001:db8::1", 1}));
    EXPECT_EQ(complete("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n").source,
              (proxy_header::address{"192.0.2.1", 1}));
}

TEST(ProxyHeader, BinaryNamesTheClientBehindTheProxy) {
    const auto header = complete(ipv4_header() + "CONNECT {}\r\n");
    EXPECT_EQ(header.source, (proxy_header::address{"192.0.2.1", 12345}));
    EXPECT_EQ(header.size, 28u);
    const auto ipv6 = signature + "\x21\x21"s + "\0\x24"s + std::string(15, '\0') + "\x01"s +
                      std::string(16, '\0') + "\0\x07\0\x08"s;
    EXPECT_EQ(complete(ipv6).source, (proxy_header::address{"::1", 7}));
}

TEST(ProxyHeader, AHealthCheckSpeaksForTheProxyItself) {
    EXPECT_EQ(complete("PROXY UNKNOWN\r\n").source, std::nullopt);
    EXPECT_EQ(complete(ipv4_header('\x20')).source, std::nullopt);
    const auto unspecified = signature + "\x21\x01\0\0"s;
    EXPECT_EQ(complete(unspecified).source, std::nullopt);
}

TEST(ProxyHeader, WhatBeginsOtherwiseIsTheClients) {
    for (const std::string_view input : {"CONNECT {}\r\n", "PING\r\n", "P!", "\r\nPING\r\n"}) {
        const auto header = parse_proxy_header(input);
        ASSERT_TRUE(header);
        EXPECT_EQ(header->state, status::absent) << input;
    }
}

TEST(ProxyHeader, IsIncompleteUntilItsLastByte) {
    for (const auto& whole : {"PROXY TCP4 192.0.2.1 10.0.0.1 12345 4222\r\n"s, ipv4_header()}) {
        for (std::size_t count = 0; count < whole.size(); ++count) {
            const auto part = parse_proxy_header(std::string_view(whole).substr(0, count));
            ASSERT_TRUE(part);
            EXPECT_EQ(part->state, status::incomplete) << count;
        }
    }
}

TEST(ProxyHeader, SaysWhatIsWrongWithIt) {
    const auto reason = [](std::string_view input) {
        const auto header = parse_proxy_header(input);
        return header ? "" : std::string(header.error().detail());
    };
    const auto invalid = "invalid PROXY protocol header: "s;
    EXPECT_EQ(reason("PROXY TCP4 192.0.2.1\r\n"), invalid + "invalid v1 format");
    EXPECT_EQ(reason("PROXY \r\n"), invalid + "invalid v1 format");
    EXPECT_EQ(reason("PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n"), invalid + "invalid protocol UDP4");
    EXPECT_EQ(reason("PROXY TCP4 x ::1 1 2\r\n"), invalid + "invalid address");
    EXPECT_EQ(reason("PROXY TCP4 ::1 ::1 1 2\r\n"), invalid + "TCP4 with IPv6 address");
    EXPECT_EQ(reason("PROXY TCP6 1.2.3.4 ::1 1 2\r\n"), invalid + "TCP6 with IPv4 address");
    EXPECT_EQ(reason("PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"),
              "invalid source port: strconv.ParseUint: parsing \"65536\": value out of range");
    EXPECT_EQ(reason("PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n"),
              "invalid dest port: strconv.ParseUint: parsing \"-2\": invalid syntax");
    EXPECT_EQ(reason("PROXY TCP4 " + std::string(200, '1')), invalid + "v1 line too long");
    EXPECT_EQ(reason("\r\n\r\n\0\r\nQUIT!"s), invalid + "invalid signature");
    EXPECT_EQ(reason(ipv4_header('\x11')), invalid + "invalid version 0x10");
    EXPECT_EQ(reason(ipv4_header('\x22')), "unknown PROXY protocol command: 0x02");
    const auto unsupported = "unsupported PROXY protocol feature: "s;
    EXPECT_EQ(reason(ipv4_header('\x21', '\x12')), unsupported + "only STREAM protocol supported");
    EXPECT_EQ(reason(ipv4_header('\x21', '\x31')), unsupported + "unsupported address family 0x30");
    EXPECT_EQ(reason(signature + "\x21\x11\0\x0b"s), "IPv4 address data too short: 11 bytes");
    EXPECT_EQ(reason(signature + "\x21\x21\0\x0c"s), "IPv6 address data too short: 12 bytes");
}

TEST(ProxyHeader, SaysWhatWasMissing) {
    const auto whole = ipv4_header();
    const auto text = [&](std::size_t size) {
        return unfinished_proxy_header_text(std::string_view(whole).substr(0, size));
    };
    EXPECT_EQ(text(0), "failed to read protocol version: EOF");
    EXPECT_EQ(text(3), "failed to read protocol version: unexpected EOF");
    EXPECT_EQ(text(6), "failed to read v2 signature: EOF");
    EXPECT_EQ(text(13), "failed to read v2 header: unexpected EOF");
    EXPECT_EQ(text(20), "failed to read IPv4 address data: unexpected EOF");
    EXPECT_EQ(unfinished_proxy_header_text("PROXY TCP4"), "failed to read v1 line: EOF");
}

} // namespace
} // namespace pipit::net
