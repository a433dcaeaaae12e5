// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/parse_report.hpp>

#include <gtest/gtest.h>

namespace pipit::broker {
namespace {

parse_stop at(bytes_view input, std::size_t place, bool begins = true) {
    return {.input = input, .at = place, .begins_operation = begins, .payload_bytes_max = 1024};
}

TEST(ParseReport, SaysWhereAnOperationEndedToBeOne) {
    EXPECT_EQ(unknown_operation_report(at("PING\r\nSUBX foo 1\r\n", 9)),
              R"(Client parser ERROR, state=45, i=9: proto='"X foo 1\r"...')");
    EXPECT_EQ(unknown_operation_report(at("pozt /x\r\n", 2)),
              R"(Client parser ERROR, state=37, i=2: proto='"zt /x\r"...')");
    EXPECT_EQ(unknown_operation_report(at("PUB a 2\r\nabX\r\n", 11)),
              R"(Client parser ERROR, state=41, i=11: proto='"X\r"...')");
    EXPECT_EQ(unknown_operation_report(at("PUB a 0\r\nX\r\n", 9)),
              R"(Client parser ERROR, state=41, i=9: proto='"X\r"...')");
    // A payload that is too short, and one that has lines itself.
    EXPECT_EQ(unknown_operation_report(at("PUB a 7\r\nhello\r\nPING\r\n", 16)),
              R"(Client parser ERROR, state=41, i=16: proto='"PING\r"...')");
    EXPECT_EQ(unknown_operation_report(at("PUB a 6\r\nhello\r\nPING\r\n", 15)),
              R"(Client parser ERROR, state=41, i=15: proto='"\nPING\r"...')");
    EXPECT_EQ(
        unknown_operation_report(at("HPUB a 12 19\r\nNATS/1.0\r\n\r\nPU\r\nx\r\nPUB\r\n", 33)),
        R"(Client parser ERROR, state=41, i=33: proto='"PUB\r"...')");
    EXPECT_EQ(unknown_operation_report(at("PUB a 5\r\nhello\rX\r\n", 15)),
              R"(Client parser ERROR, state=42, i=15: proto='"X\r"...')");
    EXPECT_EQ(unknown_operation_report(at("GET / HTTP/1.1\r\n\r\n", 0)),
              R"(Client parser ERROR, state=0, i=0: proto='"GET / HTTP/1.1\r\n\r"...')");
    EXPECT_EQ(
        unknown_operation_report(at("PING\r\n\x01\xff\x1b[31m and so on and on and on and on", 6)),
        R"(Client parser ERROR, state=0, i=6: proto='"\x01\xff\x1b[31m and so on and on and on "...')");
}

TEST(ParseReport, SaysNoStateOfWhatBeganEarlier) {
    EXPECT_EQ(unknown_operation_report(at("X\r\n", 0, false)),
              R"(Client parser ERROR, i=0: proto='"X\r"...')");
    EXPECT_EQ(arguments_report(at("foo\r\n", 3, false)),
              "parser ERROR: wrong number or form of arguments");
    EXPECT_EQ(payload_report(at("foo 9999\r\n", 8, false)), "maximum payload exceeded");
}

TEST(ParseReport, ShowsNoSecrets) {
    for (const bytes_view secret :
         {"CONNECX {\"pass\":\"hunter2\"}\r\n", "X?token=hunter2 HTTP/1.1\r\n",
          "CONNECX\r\nAuthorization: hunter2\r\n", "X authorization:hunter2\r\n",
          "PUB a 2\r\n{\n \"pass\": \"hunter2\"}\r\n"}) {
        EXPECT_EQ(unknown_operation_report(at(secret, 6)).find("hunter"), std::string::npos);
        EXPECT_EQ(unknown_operation_report(at(secret, 0)).find("hunter"), std::string::npos);
        EXPECT_EQ(unknown_operation_report(at(secret, 12)).find("hunter"), std::string::npos);
    }
    EXPECT_EQ(arguments_report(at("SUB {\"pass\":\"hunter2\"}\r\n", 22)),
              R"(processSub Parse Error: "")");
}

TEST(ParseReport, SaysWhatIsWrongWithArguments) {
    const auto of = [](bytes_view line) { return arguments_report(at(line, line.size())); };
    EXPECT_EQ(of("SUB foo\r\n"), R"(processSub Parse Error: "foo")");
    EXPECT_EQ(of("sub a b c d\r\n"), R"(processSub Parse Error: "a b c d")");
    EXPECT_EQ(of("UNSUB 1 2 3\r\n"), R"(processUnsub Parse Error: "1 2 3")");
    EXPECT_EQ(of("PUB foo\r\n"), R"(processPub Parse Error: "foo")");
    EXPECT_EQ(of("PUB foo -1\r\n"), R"(processPub Bad or Missing Size: "foo -1")");
    EXPECT_EQ(of("HPUB foo 1\r\n"), R"(processHeaderPub Parse Error: "foo 1")");
    EXPECT_EQ(of("HPUB foo x 1\r\n"), R"(processHeaderPub Bad or Missing Header Size: "foo x 1")");
    EXPECT_EQ(of("HPUB foo 1 x\r\n"), R"(processHeaderPub Bad or Missing Total Size: "foo 1 x")");
    EXPECT_EQ(of("HPUB foo 9 1\r\n"),
              R"(processHeaderPub Header Size larger then TotalSize: "foo 9 1")");
    EXPECT_LT(of("SUB " + std::string(4000, '\x01') + "\r\n").size(), 1200u);
}

TEST(ParseReport, ShowsTheTraceAllOfARefusedLine) {
    const auto line = "pub a.{b}?c " + std::string(400, 'r') + " x\r\n";
    EXPECT_EQ(refused_line(at("PING\r\n" + line + "PING\r\n", 6 + line.size())),
              "PUB a.{b}?c " + std::string(400, 'r') + " x");
}

TEST(ParseReport, SaysHowLargeIsTooLarge) {
    EXPECT_EQ(payload_report(at("PING\r\nPUB foo 9999\r\nx", 20)),
              "maximum payload exceeded: 9999 vs 1024");
}

} // namespace
} // namespace pipit::broker
