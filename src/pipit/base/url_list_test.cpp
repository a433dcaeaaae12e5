// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/url_list.hpp>

#include <gtest/gtest.h>

namespace pipit {
namespace {

/// One after the other, those that may be secret in brackets.
std::string split(std::string_view list) {
    std::string text;
    for (const auto& [url, may_be_secret] : split_urls(list)) {
        text += text.empty() ? "" : " ";
        text += may_be_secret ? "(" + std::string(url) + ")" : std::string(url);
    }
    return text;
}

TEST(UrlList, IsPartedAtItsCommas) {
    EXPECT_EQ(split(" nats://a:1, b ,,c/\t\n,"), "nats://a:1 b c/");
    EXPECT_EQ(split("nats://u:p@a,nats://w:q@b"), "nats://u:p@a nats://w:q@b");
    EXPECT_EQ(split("nats://a, nats://w:q@b"), "nats://a nats://w:q@b");
    EXPECT_EQ(split("a,\nTLS://w:q@b"), "a TLS://w:q@b");
    EXPECT_EQ(split(""), "");
    EXPECT_EQ(split(" , "), "");
}

TEST(UrlList, SaysWhatOfItMayBeAPartOfAPassword) {
    EXPECT_EQ(split("nats://u:p,q@a"), "(nats://u:p) q@a");
    EXPECT_EQ(split("nats://tok,en@a,b"), "(nats://tok) en@a b");
    EXPECT_EQ(split("nats://u:p,q://r@a,nats://b"), "(nats://u:p) q://r@a nats://b");
    EXPECT_EQ(split("u:p@a,w:q@b"), "(u:p@a) w:q@b");
}

TEST(UrlList, IsShownWithoutUsers) {
    const auto& shown = urls_without_users;
    EXPECT_EQ(shown("nats://u:p@host:1"), "nats://host:1");
    EXPECT_EQ(shown("u:p@host"), "host");
    EXPECT_EQ(shown("host:4222"), "host:4222");
    EXPECT_EQ(shown("nats://u:p@a:1,nats://b,t@c"), "nats://a:1,nats://c");
    EXPECT_EQ(shown("nats://u:p@a:1,nats://w:q@b:2,c"), "nats://a:1,nats://b:2,c");
    EXPECT_EQ(shown("nats://u:p,q@host"), "nats://host");
    EXPECT_EQ(shown("nats://u:p,q,r@host"), "nats://host");
    EXPECT_EQ(shown("u:p@a,nats://b,nats://w:q@c"), "a,nats://b,nats://c");
    EXPECT_EQ(shown("a:1,b:2"), "a:1,b:2");
    EXPECT_EQ(shown("u:p://q@host,nats://w:q@b"), "host,nats://b");
    EXPECT_EQ(shown("nats://u:p,q://r@host"), "nats://host");
    EXPECT_EQ(shown("u:p,q://r@a,TLS://w:q,s://t@b, ws://c"), "a,TLS://b, ws://c");
    EXPECT_EQ(shown("nats://a,q://b"), "nats://a,q://b");
}

} // namespace
} // namespace pipit
