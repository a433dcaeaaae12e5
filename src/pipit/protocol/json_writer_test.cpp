// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/json_writer.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pipit::protocol {
namespace {

std::string json_of(std::string_view value) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.member("x", value);
    json.end_object();
    return text;
}

TEST(JsonWriter, IndentsAsGoDoes) {
    std::string text;
    json_writer json(text, "  ");
    json.begin_object();
    json.member("a", 1);
    json.begin_object("empty");
    json.end_object();
    json.member("none", std::vector<std::string>());
    json.member("two", std::vector<std::string>{"x", "y"});
    json.begin_array("objects");
    json.element();
    json.begin_object();
    json.member("b", true);
    json.end_object();
    json.end_array();
    json.null_member("null");
    json.end_object();
    EXPECT_EQ(text, "{\n  \"a\": 1,\n  \"empty\": {},\n  \"none\": [],\n"
                    "  \"two\": [\n    \"x\",\n    \"y\"\n  ],\n"
                    "  \"objects\": [\n    {\n      \"b\": true\n    }\n  ],\n"
                    "  \"null\": null\n}");
}

TEST(JsonWriter, WritesOnOneLineWithoutAnIndent) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.member("a", "b");
    json.member("c", std::vector<std::string>{"d", "e"});
    json.end_object();
    EXPECT_EQ(text, R"({"a":"b","c":["d","e"]})");
}

TEST(JsonWriter, LeavesOutWhatIsEmpty) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.optional_member("text", std::string());
    json.optional_member("view", std::string_view());
    json.optional_member("number", 0);
    json.optional_member("flag", false);
    json.optional_member("list", std::vector<std::string>());
    json.optional_member("kept", 7);
    json.end_object();
    EXPECT_EQ(text, R"({"kept":7})");
}

TEST(JsonWriter, EscapesAsGoDoes) {
    EXPECT_EQ(json_of("svc.>"), R"({"x":"svc.\u003e"})");
    EXPECT_EQ(json_of("<a&b>"), R"({"x":"\u003ca\u0026b\u003e"})");
    EXPECT_EQ(json_of("\"\\\b\f\n\r\t"), R"({"x":"\"\\\b\f\n\r\t"})");
    EXPECT_EQ(json_of(std::string("\0\x1f\x7f", 3)), "{\"x\":\"\\u0000\\u001f\x7f\"}");
    EXPECT_EQ(json_of("é\u2028\u2029"), "{\"x\":\"é\\u2028\\u2029\"}");
}

TEST(JsonWriter, ReplacesWhatIsNotUtf8) {
    EXPECT_EQ(json_of("a\xff"), R"({"x":"a\ufffd"})");
    EXPECT_EQ(json_of("\xc3"), R"({"x":"\ufffd"})");
    EXPECT_EQ(json_of("\xed\xa0\x80"), R"({"x":"\ufffd\ufffd\ufffd"})");
    EXPECT_EQ(json_of("\xf4\x90\x80\x80"), R"({"x":"\ufffd\ufffd\ufffd\ufffd"})");
}

TEST(JsonWriter, WritesTheShortestDecimal) {
    std::string text;
    json_writer json(text);
    json.begin_object();
    json.member("a", 2.0);
    json.member("b", 0.6148148148148148);
    json.member("c", 0.1);
    json.member("d", 0.0);
    json.end_object();
    EXPECT_EQ(text, R"({"a":2,"b":0.6148148148148148,"c":0.1,"d":0})");
}

TEST(JsonWriter, GoesOnBehindWhatIsThere) {
    std::string text = "INFO ";
    json_writer json(text);
    json.begin_object();
    json.end_object();
    EXPECT_EQ(text, "INFO {}");
}

} // namespace
} // namespace pipit::protocol
