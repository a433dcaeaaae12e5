// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/headers.hpp>

#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

namespace pipit::protocol {
namespace {

using namespace std::string_view_literals;

std::string written(const headers& h) {
    std::string out;
    h.append_to(out);
    return out;
}

TEST(Headers, KeepOrderCaseAndRepeatedNames) {
    const auto block = "NATS/1.0\r\nB: 1\r\nb: 2\r\nA: 3\r\nB: 4\r\n\r\n"sv;
    const auto read = headers::parse(block);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->get("B"), "1");
    EXPECT_EQ(read->get("b"), "2");
    EXPECT_EQ(read->values("B"), (std::vector<bytes_view>{"1", "4"}));
    EXPECT_EQ(read->get("c"), std::nullopt);
    EXPECT_EQ(read->get_ignoring_case("a"), "3");
    EXPECT_EQ(read->size(), 4u);
    EXPECT_EQ(written(*read), block);
}

TEST(Headers, ReadTheInlineStatus) {
    const auto plain = headers::parse("NATS/1.0 503\r\n\r\n");
    EXPECT_EQ(plain->status(), 503);
    EXPECT_EQ(plain->description(), "");
    const auto described = headers::parse("NATS/1.0  408  Request Timeout \r\nA: b\r\n\r\n");
    EXPECT_EQ(described->status(), 408);
    EXPECT_EQ(described->description(), "Request Timeout");
    EXPECT_EQ(written(*described), "NATS/1.0 408 Request Timeout\r\nA: b\r\n\r\n");
    EXPECT_EQ(headers::parse("NATS/1.0\r\n\r\n")->status(), 0);
}

TEST(Headers, CutOffWhiteSpaceAroundValuesOnly) {
    const auto read = headers::parse("NATS/1.0\r\nA:b\r\nC: \t d e \r\nF:\r\nG h : i: j\r\n\r\n");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->get("A"), "b");
    EXPECT_EQ(read->get("C"), "d e");
    EXPECT_EQ(read->get("F"), "");
    EXPECT_EQ(read->get("G h "), "i: j");
}

TEST(Headers, TakeLinesWithoutCrAndSkipThoseWithoutName) {
    EXPECT_EQ(headers::parse("NATS/1.0\nA: b\n: c\n\n")->get("A"), "b");
}

TEST(Headers, RefuseMalformedBlocks) {
    for (const auto block :
         {""sv, "\r\n\r\n"sv, "NATS/1.0"sv, "NATS/1.0\r\n"sv, "NATS/1.0\r\nA: b\r\n"sv,
          "NATS/1.0\r\nA: b"sv, "NATS/1.0\r\nno colon\r\n\r\n"sv, "HTTP/1.0\r\n\r\n"sv,
          "nats/1.0\r\n\r\n"sv, "NATS/1.0 50\r\n\r\n"sv, "NATS/1.0 abc\r\n\r\n"sv}) {
        EXPECT_EQ(headers::parse(block).error(), errc::invalid_header) << block;
    }
}

TEST(Headers, SetReplacesAllValuesWhereTheFirstStood) {
    headers h;
    ASSERT_TRUE(h.append("A", "1"));
    ASSERT_TRUE(h.append("B", "2"));
    ASSERT_TRUE(h.append("A", "3"));
    ASSERT_TRUE(h.set("A", "4"));
    ASSERT_TRUE(h.set("C", "5"));
    EXPECT_EQ(written(h), "NATS/1.0\r\nA: 4\r\nB: 2\r\nC: 5\r\n\r\n");
    h.erase("B");
    EXPECT_EQ(h.size(), 2u);
}

TEST(Headers, RefuseNamesAndValuesThatWouldBreakALine) {
    headers h;
    for (const auto name : {""sv, "a b"sv, "a:b"sv, "a\r"sv, "\x7f"sv, "\xc3\xbc"sv}) {
        EXPECT_EQ(h.append(name, "v").error(), errc::invalid_header) << name;
        EXPECT_EQ(h.set(name, "v").error(), errc::invalid_header) << name;
    }
    EXPECT_EQ(h.append("a", "v\r\nb: w").error(), errc::invalid_header);
    EXPECT_EQ(h.append("a", "v\r\nb: w").error().detail(), "the value of 'a' has a line end");
    EXPECT_EQ(h.append("a b", "v").error().detail().substr(0, 21), "'a b' is no name of o");
    ASSERT_TRUE(h.append("a", "v"));
    EXPECT_EQ(h.set("a", "\n").error(), errc::invalid_header);
    EXPECT_EQ(h.set_status(50).error(), errc::invalid_header);
    EXPECT_EQ(h.set_status(503, "a\nb").error(), errc::invalid_header);
    ASSERT_TRUE(h.set_status(503, "No Responders"));
    EXPECT_EQ(written(h), "NATS/1.0 503 No Responders\r\na: v\r\n\r\n");
}

TEST(Headers, AreFoundInABlockByTheirExactName) {
    const auto block = "NATS/1.0 100\r\nX-Name: no\r\nName:  yes \r\nName: later\r\n\r\n"sv;
    EXPECT_EQ(find_header(block, "Name"), "yes");
    EXPECT_EQ(find_header(block, "name"), std::nullopt);
    EXPECT_EQ(find_header(block, "Nam"), std::nullopt);
    EXPECT_EQ(find_header("NATS/1.0\r\nA", "A"), std::nullopt);
    EXPECT_EQ(find_header("NATS/1.0\r\nA:", "A"), "");
}

TEST(Headers, ShowTheStatusOfABlockWithoutReadingTheRest) {
    EXPECT_EQ(find_status("NATS/1.0 503\r\n\r\n"), 503);
    EXPECT_EQ(find_status("NATS/1.0  100 Idle Heartbeat\r\nA: b\r\n\r\n"), 100);
    EXPECT_EQ(find_status("NATS/1.0\r\nA: 503\r\n\r\n"), 0);
    EXPECT_EQ(find_status("NATS/1.0 abc\r\n\r\n"), 0);
    EXPECT_EQ(find_status(""), 0);
}

} // namespace
} // namespace pipit::protocol
