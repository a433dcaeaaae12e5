// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/go_text.hpp>

#include <gtest/gtest.h>

namespace pipit::protocol {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

std::string json_string(bytes_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

TEST(GoText, QuotesWhatCannotBePrinted) {
    EXPECT_EQ(quoted("plain ü 漢 😀"), "\"plain ü 漢 😀\"");
    EXPECT_EQ(quoted("say \"hi\" \\"), R"("say \"hi\" \\")");
    EXPECT_EQ(quoted("\n\r\t\x00\x1b\x7f"sv), R"("\n\r\t\x00\x1b\x7f")");
    EXPECT_EQ(quoted("\xff\xc3\x28\xed\xa0\x80"), R"("\xff\xc3(\xed\xa0\x80")");
    EXPECT_EQ(quoted("\u00a0\u200b"), R"("\u00a0\u200b")");
    EXPECT_EQ(quoted("\xf3\xa0\x80\x81"), R"("\U000e0001")");
}

TEST(GoText, EscapesJsonSoThatItIsSafeInHtmlAndAlwaysUtf8) {
    EXPECT_EQ(json_string("plain ü 漢 😀"), "\"plain ü 漢 😀\"");
    EXPECT_EQ(json_string("\"\\/\b\f\n\r\t"), R"("\"\\/\b\f\n\r\t")");
    EXPECT_EQ(json_string("<a&b>\x00\x1f\x7f"sv), "\"\\u003ca\\u0026b\\u003e\\u0000\\u001f\x7f\"");
    EXPECT_EQ(json_string("\u2028\u2029"), R"("\u2028\u2029")");
    EXPECT_EQ(json_string("\xff\xc3\x28\xed\xa0\x80"), R"("\ufffd\ufffd(\ufffd\ufffd\ufffd")");
}

TEST(GoText, WritesTimesWithoutTrailingZeros) {
    const wall_time second(1795234608s);
    EXPECT_EQ(rfc3339(second), "2026-11-21T04:16:48Z");
    EXPECT_EQ(rfc3339(second + 801001130ns), "2026-11-21T04:16:48.80100113Z");
    EXPECT_EQ(rfc3339(second + 1ns), "2026-11-21T04:16:48.000000001Z");
    EXPECT_EQ(rfc3339(std::nullopt), "0001-01-01T00:00:00Z");
    EXPECT_EQ(rfc3339(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31) + 1s),
              "9999-12-31T00:00:01Z");
    EXPECT_EQ(rfc3339(wall_time(1s)), "1970-01-01T00:00:01Z");
    EXPECT_EQ(rfc3339(wall_time(-1ns)), "1969-12-31T23:59:59.999999999Z");
}

} // namespace
} // namespace pipit::protocol
