// SPDX-License-Identifier: Apache-2.0
#include <cli/context_document.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit::cli;

TEST(Context, IsReadAsTheNatsToolWritesIt) {
    const auto read = context_document::parse(R"({
  "description": "first",
  "url": "nats://127.0.0.1:4222,nats://b:4222",
  "user": "a\"b",
  "tls_first": true,
  "windows_ca_certs_match": null
})");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->get("description"), "first");
    EXPECT_EQ(read->get("url"), "nats://127.0.0.1:4222,nats://b:4222");
    EXPECT_EQ(read->get("user"), "a\"b");
    EXPECT_EQ(read->get("absent"), "");
    EXPECT_EQ(read->get("tls_first"), "");
    EXPECT_TRUE(read->is_true("tls_first"));
    EXPECT_FALSE(read->is_true("url"));
}

TEST(Context, KeepsWhatIsNotKnownWhereItIs) {
    constexpr auto text = R"({
  "zebra": {"a":[1,2,{"b":null}]},
  "url": "nats://a",
  "number": 18446744073709551615
})";
    auto read = context_document::parse(text);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->to_text(), text);
    read->set("url", "nats://b");
    read->set("token", "t\n");
    EXPECT_EQ(read->to_text(), R"({
  "zebra": {"a":[1,2,{"b":null}]},
  "url": "nats://b",
  "number": 18446744073709551615,
  "token": "t\n"
})");
}

TEST(Context, ThatIsNewHasTheKeysOfTheNatsTool) {
    context_document fresh;
    fresh.set("url", "nats://a");
    const auto again = context_document::parse(fresh.to_text());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->get("url"), "nats://a");
    EXPECT_NE(fresh.to_text().find("\"jetstream_domain\": \"\""), std::string::npos);
    EXPECT_NE(fresh.to_text().find("\"tls_first\": false"), std::string::npos);
}

TEST(Context, IsRefusedWhenItIsNoObject) {
    for (const auto* text : {"", "[]", "{", "\"a\"", "{\"a\":}", "nonsense"}) {
        EXPECT_FALSE(context_document::parse(text)) << text;
    }
    std::string deep;
    for (int i = 0; i < 1000; ++i) deep += "{\"a\":";
    EXPECT_FALSE(context_document::parse(deep));
}

TEST(Context, ShowsNoSecretOnALine) {
    context_document some;
    some.set("password", "p4ss");
    some.set("user", "me");
    const auto line = some.to_line("one");
    EXPECT_EQ(line.find("p4ss"), std::string::npos);
    EXPECT_NE(line.find("\"password\":\"***\""), std::string::npos);
    EXPECT_NE(line.find("\"name\":\"one\""), std::string::npos);
    EXPECT_NE(line.find("\"token\":\"\""), std::string::npos);
}

TEST(Context, ShowsNoSecretOfAUrlAndNoCredentials) {
    context_document some;
    some.set("url", "nats://me:p4ss@a:1,nats://t0ken@b");
    some.set("socks_proxy", "socks5://me:p4ss@c");
    some.set("creds", "data:;base64,czNjcmV0");
    some.set("nkey", "~/me@home.nk");
    const auto line = some.to_line("one");
    EXPECT_NE(line.find(R"("url":"nats://a:1,nats://b","socks_proxy":"socks5://c")"),
              std::string::npos)
        << line;
    EXPECT_NE(line.find(R"("creds":"***","nkey":"~/me@home.nk")"), std::string::npos) << line;
}

TEST(Context, HasANameThatIsAFilesName) {
    for (const auto* name : {"one", "a b", "a.b", "ünïcode"})
        EXPECT_TRUE(is_valid_context_name(name));
    for (const auto* name : {"", "..", "a/b", "../a", "a\\b", "a\nb"}) {
        EXPECT_FALSE(is_valid_context_name(name)) << name;
    }
}

} // namespace
