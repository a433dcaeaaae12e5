// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/connect.hpp>

#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pipit::protocol {
namespace {

using namespace std::string_view_literals;

bool reads(bytes_view json) {
    connect_options options;
    return read_connect(json, options).has_value();
}

connect_options read(bytes_view json) {
    connect_options options;
    EXPECT_TRUE(read_connect(json, options)) << json;
    return options;
}

TEST(Connect, KeepsTheDefaultsOfKeysThatAreMissing) {
    const auto options = read("{}");
    EXPECT_TRUE(options.verbose);
    EXPECT_TRUE(options.pedantic);
    EXPECT_TRUE(options.echo);
    EXPECT_EQ(options.protocol, 0);
    EXPECT_EQ(options, connect_options());
}

TEST(Connect, ReadsWhatAClientSays) {
    const auto options = read(R"({"verbose":false,"pedantic":false,"echo":false,"headers":true,)"
                              R"("no_responders":true,"protocol":1,"name":"n","lang":"go",)"
                              R"("version":"1.2","user":"u","pass":"p","auth_token":"t","jwt":"j",)"
                              R"("nkey":"k","sig":"s","account":"a","new_account":true})");
    EXPECT_EQ(options, (connect_options{.echo = false,
                                        .verbose = false,
                                        .pedantic = false,
                                        .tls_required = false,
                                        .nkey = "k",
                                        .jwt = "j",
                                        .sig = "s",
                                        .auth_token = "t",
                                        .user = "u",
                                        .pass = "p",
                                        .name = "n",
                                        .lang = "go",
                                        .version = "1.2",
                                        .protocol = 1,
                                        .account = "a",
                                        .new_account = true,
                                        .headers = true,
                                        .no_responders = true,
                                        .remote_account = "",
                                        .proxy_sig = ""}));
}

TEST(Connect, ReadsASecondTimeOverTheFirst) {
    auto options = read(R"({"user":"u","verbose":false})");
    EXPECT_TRUE(read_connect(R"({"user":"v"})", options));
    EXPECT_EQ(options.user, "v");
    EXPECT_FALSE(options.verbose);
}

TEST(Connect, MatchesKeysInAnyCaseAndTakesTheLastOfEqualOnes) {
    EXPECT_EQ(read(R"({"USER":"u"})").user, "u");
    EXPECT_EQ(read("{\"u\u017fer\":\"u\"}").user, "u"); // As Go folds a long s.
    EXPECT_EQ(read(R"({"user":"a","User":"b"})").user, "b");
    EXPECT_EQ(read(R"({"\u0075ser":"c"})").user, "c");
}

TEST(Connect, IgnoresUnknownKeysAndNull) {
    EXPECT_EQ(read(R"({"x":{"user":"no","y":[1,{"z":null}]},"user":"u","n":1e9})").user, "u");
    EXPECT_EQ(read(R"({"user":"u","user":null,"echo":null,"protocol":null})").user, "u");
    EXPECT_EQ(read("null"), connect_options());
    EXPECT_EQ(read(" \t{ } \r"), connect_options());
}

TEST(Connect, RefusesValuesOfAnotherType) {
    for (const auto json :
         {R"({"verbose":1})"sv, R"({"verbose":"true"})"sv, R"({"user":1})"sv, R"({"user":[]})"sv,
          R"({"user":{}})"sv, R"({"protocol":"1"})"sv, R"({"protocol":1.0})"sv,
          R"({"protocol":1e0})"sv, R"({"protocol":99999999999999999999})"sv, R"({"import":1})"sv,
          R"({"import":{"allow":1}})"sv, R"({"import":{"allow":[1]}})"sv, R"([])"sv, R"("x")"sv,
          R"(1)"sv, R"(true)"sv}) {
        EXPECT_FALSE(reads(json)) << json;
    }
    EXPECT_TRUE(reads(R"({"import":{"allow":["a"],"Deny":null,"x":7},"export":null})"));
}

TEST(Connect, RefusesWhatIsNoJson) {
    for (const auto json :
         {""sv, "\r"sv, "{"sv, "{}}"sv, "{} x"sv, "{'user':'u'}"sv, R"({"user":"u",})"sv,
          R"({"user":"a
b"})"sv,
          R"({"protocol":01})"sv, R"({"user":"\x"})"sv, "{}\0"sv, R"({"user":nul})"sv}) {
        EXPECT_FALSE(reads(json)) << json;
    }
}

TEST(Connect, ReplacesBytesThatAreNotUtf8) {
    EXPECT_EQ(read("{\"user\":\"a\xff\xc3z\"}").user, "a\ufffd\ufffdz");
    EXPECT_EQ(read(R"({"user":"\u00fc\ud83d\ude00"})").user, "ü😀");
    EXPECT_EQ(read(R"({"user":"\ud83dx\ude00\\ud83d\uD800\ud800"})").user,
              "\ufffdx\ufffd\\ud83d\ufffd\ufffd");
    EXPECT_FALSE(reads(R"({"user":"\ud83"})"));
    EXPECT_FALSE(reads(R"({"user":"\ud8)"));
}

TEST(Connect, RefusesDeepNestingWithoutHarm) {
    const auto nested = [](std::size_t levels) {
        return R"({"x":)" + std::string(levels, '[') + std::string(levels, ']') + "}";
    };
    EXPECT_TRUE(reads(nested(500)));
    EXPECT_FALSE(reads(nested(2000)));
    EXPECT_FALSE(reads(nested(450'000)));
    EXPECT_FALSE(reads(std::string(450'000, '[')));
    std::string objects;
    for (int i = 0; i < 450'000; ++i) objects += R"({"x":)";
    EXPECT_FALSE(reads(objects));
}

TEST(Connect, WritesWhatItReads) {
    connect_options options;
    options.echo = false;
    options.user = "a\"<b>&\n";
    options.protocol = 1;
    std::string out;
    append_connect(out, options);
    ASSERT_TRUE(out.starts_with("CONNECT {") && out.ends_with("}\r\n"));
    EXPECT_NE(out.find(R"("user":"a\"\u003cb\u003e\u0026\n")"), std::string::npos);
    EXPECT_EQ(read(bytes_view(out).substr(8)), options);
}

} // namespace
} // namespace pipit::protocol
