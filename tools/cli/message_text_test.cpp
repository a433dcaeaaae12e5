// SPDX-License-Identifier: Apache-2.0
#include <cli/message_text.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit;
using namespace pipit::cli;
using namespace std::chrono_literals;

shown_message sample() {
    shown_message message{.subject = "a.b", .reply = "r.e", .headers = {}, .payload = "hello"};
    EXPECT_TRUE(message.headers.append("X", "1"));
    EXPECT_TRUE(message.headers.append("Y", "a b"));
    EXPECT_TRUE(message.headers.append("X", "2"));
    return message;
}

TEST(Message, IsShownForPeople) {
    EXPECT_EQ(received_line(3, sample(), "", false), R"([#3] Received on "a.b" with reply "r.e")");
    EXPECT_EQ(received_line(3, {.subject = "a"}, "12:00", false),
              R"([#3] @ 12:00 Received on "a")");
    EXPECT_EQ(header_lines(sample().headers), "X: 1\nY: a b\nX: 2\n");
    protocol::headers status;
    ASSERT_TRUE(status.set_status(503, "No Responders"));
    EXPECT_EQ(header_lines(status), "status 503 No Responders\n");
}

TEST(Message, IsALineOfJsonForPrograms) {
    const wall_time when(1'709'247'845s + 120us);
    EXPECT_EQ(message_line(1, when, sample()),
              R"({"number":1,"time":"2024-02-29T23:04:05.000120Z","subject":"a.b","reply":"r.e",)"
              R"("headers":{"X":["1","2"],"Y":"a b"},"payload":"hello"})");
    EXPECT_EQ(message_line(2, when, {.subject = "s"}),
              R"({"number":2,"time":"2024-02-29T23:04:05.000120Z","subject":"s","payload":""})");
    EXPECT_EQ(message_line(2, when, {.subject = "j\xff", .reply = "r\xe2\x82", .payload = ""}),
              R"({"number":2,"time":"2024-02-29T23:04:05.000120Z","subject":"j�",)"
              R"("reply":"r��","payload":""})");
    EXPECT_EQ(message_line(2, when, {.subject = "s", .payload = "\xff\x01"}),
              R"({"number":2,"time":"2024-02-29T23:04:05.000120Z","subject":"s",)"
              R"("payload_base64":"/wE="})");
}

TEST(Message, IsDumpedAsTheNatsToolDoes) {
    EXPECT_EQ(dumped_message(sample()),
              R"({"Subject":"a.b","Reply":"r.e","Header":{"X":["1","2"],"Y":["a b"]},)"
              R"("Data":"aGVsbG8=","Sub":null})");
    EXPECT_EQ(dumped_message({.subject = "a", .payload = ""}),
              R"({"Subject":"a","Reply":"","Header":null,"Data":"","Sub":null})");
}

TEST(Header, IsReadFromTheCommandLine) {
    using pair = std::pair<std::string, std::string>;
    EXPECT_EQ(parse_header("X:1"), (pair{"X", "1"}));
    EXPECT_EQ(parse_header("X: a: b"), (pair{"X", "a: b"}));
    EXPECT_EQ(parse_header("X:"), (pair{"X", ""}));
    for (const auto* text : {"", "X", ":1", "a b:1", "X:1\r\nY:2"}) {
        EXPECT_FALSE(parse_header(text)) << text;
    }
}

TEST(Text, IsMadeSafeForATerminal) {
    EXPECT_EQ(safe_for_terminal("a\tb\nö€😀"), "a\tb\nö€😀");
    EXPECT_EQ(safe_for_terminal("\x1b[31m\r\x7f"), "\\x1b[31m\\x0d\\x7f");
    EXPECT_EQ(safe_for_terminal("\xc2\x9b\xff"), "\\xc2\\x9b\\xff");
}

} // namespace
