// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_json.hpp>
#include <pipit/server/detail/monitoring_text.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;

std::string json_of(std::string_view text) {
    json_writer json("");
    json.begin_object();
    json.member("x", text);
    json.end_object();
    return json.take();
}

TEST(MonitoringJson, IndentsAsGoDoes) {
    json_writer json;
    json.begin_object();
    json.member("a", 1);
    json.begin_object("empty");
    json.end_object();
    json.members("none", {});
    json.members("two", {"x", "y"});
    json.begin_array("objects");
    json.element();
    json.begin_object();
    json.member("b", true);
    json.end_object();
    json.end_array();
    json.null_member("null");
    json.end_object();
    EXPECT_EQ(json.take(), "{\n  \"a\": 1,\n  \"empty\": {},\n  \"none\": [],\n"
                           "  \"two\": [\n    \"x\",\n    \"y\"\n  ],\n"
                           "  \"objects\": [\n    {\n      \"b\": true\n    }\n  ],\n"
                           "  \"null\": null\n}");
}

TEST(MonitoringJson, WritesOnOneLineWithoutAnIndent) {
    json_writer json("");
    json.begin_object();
    json.member("a", "b");
    json.members("c", {"d", "e"});
    json.end_object();
    EXPECT_EQ(json.take(), R"({"a":"b","c":["d","e"]})");
}

TEST(MonitoringJson, LeavesOutWhatIsEmpty) {
    json_writer json("");
    json.begin_object();
    json.optional_member("text", std::string());
    json.optional_member("view", std::string_view());
    json.optional_member("number", 0);
    json.optional_member("flag", false);
    json.optional_member("kept", 7);
    json.end_object();
    EXPECT_EQ(json.take(), R"({"kept":7})");
}

TEST(MonitoringJson, EscapesAsGoDoes) {
    EXPECT_EQ(json_of("svc.>"), R"({"x":"svc.\u003e"})");
    EXPECT_EQ(json_of("<a&b>"), R"({"x":"\u003ca\u0026b\u003e"})");
    EXPECT_EQ(json_of("\"\\\b\f\n\r\t"), R"({"x":"\"\\\b\f\n\r\t"})");
    EXPECT_EQ(json_of(std::string("\0\x1f\x7f", 3)), "{\"x\":\"\\u0000\\u001f\x7f\"}");
    EXPECT_EQ(json_of("é\u2028\u2029"), "{\"x\":\"é\\u2028\\u2029\"}");
}

TEST(MonitoringJson, ReplacesWhatIsNotUtf8) {
    EXPECT_EQ(json_of("a\xff"), R"({"x":"a\ufffd"})");
    EXPECT_EQ(json_of("\xc3"), R"({"x":"\ufffd"})");
    EXPECT_EQ(json_of("\xed\xa0\x80"), R"({"x":"\ufffd\ufffd\ufffd"})");
    EXPECT_EQ(json_of("\xf4\x90\x80\x80"), R"({"x":"\ufffd\ufffd\ufffd\ufffd"})");
}

TEST(MonitoringJson, WritesTheShortestDecimal) {
    json_writer json("");
    json.begin_object();
    json.member("a", 2.0);
    json.member("b", 0.6148148148148148);
    json.member("c", 0.1);
    json.member("d", 0.0);
    json.end_object();
    EXPECT_EQ(json.take(), R"({"a":2,"b":0.6148148148148148,"c":0.1,"d":0})");
}

TEST(MonitoringText, WritesUptimesWithEveryLowerUnit) {
    EXPECT_EQ(uptime_text(9900ms), "9s");
    EXPECT_EQ(uptime_text(62s), "1m2s");
    EXPECT_EQ(uptime_text(3723s), "1h2m3s");
    EXPECT_EQ(uptime_text(48h), "2d0h0m0s");
    EXPECT_EQ(uptime_text(24h * 367 + 3h + 4min + 5s), "1y2d3h4m5s");
}

} // namespace
} // namespace pipit::server
