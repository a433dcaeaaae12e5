// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/parser.hpp>

#include <pipit/protocol/detail/recorded_operations.hpp>

#include <support/allocations.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace pipit::protocol {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using events = std::vector<std::string>;

template <role Role>
void expect_everywhere(bytes_view wire, const events& expected, const parser_limits& limits = {}) {
    detail::for_each_split(wire, [&](const auto& chunks) {
        EXPECT_EQ(detail::events_of<Role>(chunks, limits), expected)
            << wire << " cut behind " << chunks.front().size();
    });
}

void expect_from_client(bytes_view wire, const events& expected, const parser_limits& limits = {}) {
    expect_everywhere<role::server>(wire, expected, limits);
}
void expect_from_server(bytes_view wire, const events& expected, const parser_limits& limits = {}) {
    expect_everywhere<role::client>(wire, expected, limits);
}

/// The event of a PUB without reply in the canonical form.
std::string published(const std::string& subject, const std::string& payload) {
    const auto size = std::to_string(payload.size());
    return "message subject=" + subject + " sid= reply= header_size= size=" + size +
           " headers= payload=" + payload + " tail=" + size + "\r\n" + payload + "\r\n";
}

TEST(ServerParser, ReadsEveryOperationOfAClientWhereverTheBytesAreCut) {
    expect_from_client(
        "CONNECT {\"verbose\":false}\r\nPING\r\nSUB orders.* 1\r\nSUB orders.> workers 2\r\n"
        "PUB orders.new 5\r\nhello\r\nPUB orders.new inbox.1 0\r\n\r\n"
        "HPUB orders.new 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"
        "HPUB orders.new inbox.1 12 12\r\nNATS/1.0\r\n\r\n\r\nUNSUB 1\r\nUNSUB 2 10\r\nPONG\r\n"
        "INFO {}\r\n+OK\r\n-ERR 'bad'\r\n",
        {"connect {\"verbose\":false}", "ping", "subscribe subject=orders.* queue= sid=1",
         "subscribe subject=orders.> queue=workers sid=2", published("orders.new", "hello"),
         "message subject=orders.new sid= reply=inbox.1 header_size= size=0 headers= payload= "
         "tail=inbox.1 0\r\n\r\n",
         "message subject=orders.new sid= reply= header_size=12 size=14 with_headers "
         "headers=NATS/1.0\r\n\r\n payload=hi tail=12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
         "message subject=orders.new sid= reply=inbox.1 header_size=12 size=12 with_headers "
         "headers=NATS/1.0\r\n\r\n payload= tail=inbox.1 12 12\r\nNATS/1.0\r\n\r\n\r\n",
         "unsubscribe sid=1 max=0", "unsubscribe sid=2 max=10", "pong", "info {}", "ok",
         "error 'bad'"});
}

TEST(ClientParser, ReadsEveryOperationOfAServerWhereverTheBytesAreCut) {
    expect_from_server(
        "INFO {\"headers\":true} \r\nMSG orders.new 7 5\r\nhello\r\nMSG a 7 inbox.1 0\r\n\r\n"
        "HMSG a 7 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHMSG a 7 r 12 12\r\nNATS/1.0\r\n\r\n\r\n"
        "PING\r\nPONG\r\n+OK\r\n-ERR 'Unknown Protocol Operation'\r\n",
        {"info {\"headers\":true} ",
         "message subject=orders.new sid=7 reply= header_size= size=5 headers= payload=hello "
         "tail=7 5\r\nhello\r\n",
         "message subject=a sid=7 reply=inbox.1 header_size= size=0 headers= payload= "
         "tail=7 inbox.1 0\r\n\r\n",
         "message subject=a sid=7 reply= header_size=12 size=14 with_headers "
         "headers=NATS/1.0\r\n\r\n payload=hi tail=7 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
         "message subject=a sid=7 reply=r header_size=12 size=12 with_headers "
         "headers=NATS/1.0\r\n\r\n payload= tail=7 r 12 12\r\nNATS/1.0\r\n\r\n\r\n",
         "ping", "pong", "ok", "error 'Unknown Protocol Operation'"});
}

TEST(ServerParser, ReadsASubAlikeInTheUsualFormAndInAnyOther) {
    const auto expect_sub = [](const std::string& arguments, const std::string& event) {
        expect_from_client("SUB " + arguments + "PING\r\n", {"subscribe " + event, "ping"});
    };
    const std::string long_name(70, 'x');
    expect_sub("a.b 12\r\n", "subject=a.b queue= sid=12");
    expect_sub("a.b q 12\r\n", "subject=a.b queue=q sid=12");
    expect_sub("a.b  q 12 \r\n", "subject=a.b queue=q sid=12");
    expect_sub("a.b\tq 12\n", "subject=a.b queue=q sid=12");
    expect_sub("a\x01.b q 12\r\n", "subject=a\x01.b queue=q sid=12");
    expect_sub(long_name + " 12\r\n", "subject=" + long_name + " queue= sid=12");
    expect_sub("a " + long_name + " 12\r\n", "subject=a queue=" + long_name + " sid=12");
    expect_from_client("SUB a.b.c.d.e\r\nPING\r\n", {"invalid_arguments"});
    expect_from_client("SUB a b c d\r\nPING\r\n", {"invalid_arguments"});
}

TEST(ServerParser, TakesNamesInAnyCaseAndAnyMixOfBlanks) {
    expect_from_client("pub\t a \t 1\nx\r\n" // No tail: it could not be delivered as it came.
                       "sUb  a\t1 \r\nping\nunSUB \t1  2\t\r\nconnect{}\nInfo\t \t{}\r\n",
                       {"message subject=a sid= reply= header_size= size=1 headers= payload=x "
                        "tail=",
                        "subscribe subject=a queue= sid=1", "ping", "unsubscribe sid=1 max=2",
                        "connect {}", "info {}"});
}

TEST(ServerParser, TakesAnEmptyReplyBetweenBlanksAsClientsOfPythonWriteIt) {
    expect_from_client("PUB a.b  5\r\nhello\r\nPUB a.b   r 0\r\n\r\n",
                       {published("a.b", "hello"), "message subject=a.b sid= reply=r header_size= "
                                                   "size=0 headers= payload= tail=r 0\r\n\r\n"});
    const auto without_tail =
        published("a", "hi").substr(0, published("a", "hi").find("tail=") + 5);
    expect_from_client("PUB a 2 \r\nhi\r\nPUB a\t2\r\nhi\r\n",
                       {without_tail, published("a", "hi")});
    expect_from_client(
        "PUB a r  2\r\nhi\r\n",
        {"message subject=a sid= reply=r header_size= size=2 headers= payload=hi tail="});
}

TEST(ServerParser, IgnoresWhatFollowsPingPongAndOk) {
    expect_from_client("PING foo\r\nPINGfoo\nPONG \r x\n+OKAY\r\n", {"ping", "ping", "pong", "ok"});
    expect_from_client("PING " + std::string(5000, 'x') + "\r\n", {"ping"},
                       {.max_control_line_bytes = 4});
}

TEST(ServerParser, KeepsLeadingZerosOfASize) {
    expect_from_client("PUB a 0001\r\nx\r\n",
                       {"message subject=a sid= reply= header_size= size=0001 headers= payload=x "
                        "tail=0001\r\nx\r\n"});
}

TEST(ServerParser, TakesAHeaderOfZeroBytesAsAPlainMessage) {
    expect_from_client("HPUB a 0 2\r\nhi\r\n",
                       {"message subject=a sid= reply= header_size= size=2 headers= payload=hi "
                        "tail="});
}

TEST(ServerParser, TakesTheFirstByteOfAnArgumentWhateverItIs) {
    // The line goes on behind that LF; SUB takes it for a blank, PUB for a part of the subject.
    expect_from_client("SUB \na 1\r\n", {"subscribe subject=a queue= sid=1"});
    expect_from_client("PUB \na 1\r\nx\r\n",
                       {"message subject=\na sid= reply= header_size= size=1 headers= payload=x "
                        "tail=1\r\nx\r\n"});
    expect_from_client("CONNECT\r\n", {"connect \r"});
    expect_from_client("SUB \r\n", {"invalid_arguments"});
}

TEST(ServerParser, DropsTheLastByteOfALineWithACarriageReturnInside) {
    expect_from_client("SUB a\rb 12\n", {"subscribe subject=a queue=b sid=1"});
    expect_from_client("SUB a 12\r3\n", {"subscribe subject=a queue= sid=12"});
    expect_from_client("PUB a 1\r5\n", {"invalid_arguments"});
    expect_from_client("CONNECT {}\r\r\n", {"connect {}\r"});
}

TEST(ServerParser, ReadsAnHmsgOfAClientAsAMessageToNoSubject) {
    expect_from_client(
        "HMSG a b 5 5\r\n\r\nPING\r\n",
        {"message subject= sid= reply= header_size= size=0 headers= payload= tail=", "ping"});
    expect_from_client("HMSG a b 5 5\r\nhello\r\n", {"unknown_operation"});
}

TEST(ServerParser, RefusesUnknownNamesAtTheByteThatIsWrong) {
    for (const auto wire : {"X"sv, "\r"sv, "\n"sv, "PUBX"sv, "PI\r"sv, "M"sv, "R"sv, "L"sv, "A"sv,
                            "SUB\r"sv, "UNSUB\n"sv, "-ERR\r"sv, "+X"sv, "hx"sv, "CONNEX"sv}) {
        expect_from_client(wire, {"unknown_operation"});
        if (wire.size() > 1) expect_from_client(wire.substr(0, wire.size() - 1), {});
    }
}

TEST(ServerParser, RefusesAMessageThatDoesNotEndWithCrLf) {
    expect_from_client("PUB a 2\r\nxyz", {"unknown_operation"});
    expect_from_client("PUB a 2\r\nxy\n", {"unknown_operation"});
    expect_from_client("PUB a 2\r\nxy\rz", {"unknown_operation"});
    expect_from_client("PUB a 0\r\nx", {"unknown_operation"});
}

TEST(ServerParser, RefusesArgumentsOfTheWrongNumberOrSize) {
    for (const auto line :
         {"PUB a"sv, "PUB a b c 1"sv, "PUB a -1"sv, "PUB a 1x"sv, "PUB a 1234567890"sv, "SUB a"sv,
          "SUB a b c d"sv, "UNSUB 1 2 3"sv, "HPUB a 1"sv, "HPUB a b c 1 1"sv, "HPUB a 3 2"sv,
          "HPUB a x 2"sv, "HPUB a 1 -2"sv, "PUB \v 1 2 3"sv}) {
        expect_from_client(std::string(line) + "\r\n", {"invalid_arguments"});
    }
    expect_from_client("UNSUB 1 -5\r\nUNSUB 2 x\r\n",
                       {"unsubscribe sid=1 max=-1", "unsubscribe sid=2 max=-1"});
}

TEST(ClientParser, RefusesArgumentsOfTheWrongNumberOrSize) {
    for (const auto line : {"MSG a 1"sv, "MSG a 1 b c 1"sv, "MSG a 1 x"sv, "HMSG a 1 2"sv,
                            "HMSG a 1 3 2"sv, "HMSG a 1 b c 1 2"sv}) {
        expect_from_server(std::string(line) + "\r\n", {"invalid_arguments"});
    }
    for (const auto name : {"PUB"sv, "SUB"sv, "CONNECT"sv}) {
        expect_from_server(name.substr(0, name[0] == 'P' ? 2 : 1), {"unknown_operation"});
    }
}

TEST(ServerParser, LimitsTheArgumentOfAControlLineEvenWhileItIsIncomplete) {
    const parser_limits limits{.max_control_line_bytes = 10};
    expect_from_client("SUB aaaaaaaa 1\r\n", {"subscribe subject=aaaaaaaa queue= sid=1"}, limits);
    expect_from_client("SUB aaaaaaaaa 1\r\n", {"control_line_too_long"}, limits);
    expect_from_client("SUB aaaaaaaaaaa", {"control_line_too_long"}, limits);
    expect_from_client("PUB aaaaaaaaa 1\r\nx\r\n", {"control_line_too_long"}, limits);
    expect_from_client("CONNECT {        }\r\n", {"connect {        }"}, limits);
    expect_from_client("CONNECT {         }", {"control_line_too_long"}, limits);
}

TEST(ServerParser, LimitsThePayloadWhenItHasReadTheLine) {
    const parser_limits limits{.max_payload_bytes = 5};
    expect_from_client("PUB a 5\r\nhello\r\n", {published("a", "hello")}, limits);
    expect_from_client("PUB a 6\r\n", {"payload_too_large"}, limits);
    expect_from_client("HPUB a 3 6\r\n", {"payload_too_large"}, limits);
    expect_from_client("PUB a 6\r\nhello!\r\n", {published("a", "hello!")},
                       {.max_payload_bytes = -1});
}

TEST(ServerParser, RefusesHeadersThatWereNotAgreedOn) {
    expect_from_client("HPUB a 3 2\r\n", {"headers_not_allowed"}, {.headers_allowed = false});
    expect_from_client("HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n", {"headers_not_allowed"},
                       {.headers_allowed = false});
}

TEST(ServerParser, RefusesTheFirstByteOfAnythingButConnectWhenAuthenticationIsDue) {
    const parser_limits limits{.connect_required = true};
    expect_from_client("P", {"connect_expected"}, limits);
    expect_from_client("X", {"connect_expected"}, limits);
    expect_from_client("CX", {"unknown_operation"}, limits);
    expect_from_client("PUB a 1\r\nx\r\n", {"connect_expected"}, limits);
    expect_from_client("connect {}\r\nPING\r\n", {"connect {}", "connect_expected"}, limits);
}

TEST(ServerParser, GoesOnAfterTheDriverAllowedWhatWasRefused) {
    parser<role::server> reader;
    detail::recording_visitor visitor;
    parser_limits limits{.connect_required = true};
    const auto wire = "PUB a 1\r\nx\r\n"sv;
    const auto refused = reader.parse(wire, limits, visitor);
    EXPECT_EQ(refused.status, parse_status::connect_expected);
    EXPECT_EQ(refused.consumed, 0u);
    limits.connect_required = false;
    EXPECT_EQ(reader.parse(wire, limits, visitor).status, parse_status::need_more);
    EXPECT_EQ(visitor.events, events{published("a", "x")});
}

TEST(ServerParser, TellsOfSubjectsThatAPedanticServerRefusesBeforeThePayload) {
    const parser_limits limits{.pedantic = true};
    expect_from_client("PUB a 1\r\nx\r\n", {published("a", "x")}, limits);
    expect_from_client("PUB a.* 1\r\nx\r\n", {"invalid publish subject", published("a.*", "x")},
                       limits);
    expect_from_client("PUB a..b 1\r\n", {"invalid publish subject"}, limits);
    expect_from_client("PUB > 1\r\nxyz", {"invalid publish subject", "unknown_operation"}, limits);
}

TEST(ServerParser, SaysWhereTheWrongByteStands) {
    parser<role::server> reader;
    detail::recording_visitor visitor;
    EXPECT_EQ(reader.parse("PING\r\nPUBX 1\r\n", {}, visitor).consumed, 9u);
    parser<role::server> other;
    EXPECT_EQ(other.parse("PUB a 1\r\nxyz\r\n", {}, visitor).consumed, 10u);
}

TEST(Parser, GoesOnBehindTheOperationAtWhichTheVisitorPaused) {
    const auto wire = "PING\r\nPUB a 1\r\nx\r\nSUB a 1\r\n"sv;
    parser<role::server> reader;
    detail::recording_visitor visitor;
    visitor.answer = flow::pause;
    auto rest = wire;
    for (int i = 1; i <= 3; ++i) {
        const auto outcome = reader.parse(rest, {}, visitor);
        EXPECT_EQ(outcome.status, parse_status::paused);
        EXPECT_EQ(visitor.events.size(), static_cast<std::size_t>(i));
        rest.remove_prefix(outcome.consumed);
    }
    EXPECT_TRUE(rest.empty());
    EXPECT_EQ(visitor.events.back(), "subscribe subject=a queue= sid=1");
}

TEST(Parser, ReadsLongLinesAndLargePayloads) {
    const std::string subject(3000, 's');
    const std::string payload(40000, 'p');
    const auto wire = "PUB " + subject + " 40000\r\n" + payload + "\r\nPING\r\n";
    const events expected{published(subject, payload), "ping"};
    EXPECT_EQ(detail::events_of<role::server>({wire}), expected);
    for (const std::size_t cut : {1u, 100u, 3000u, 3011u, 3012u, 30000u, 43012u, 43013u, 43014u}) {
        const std::vector<bytes_view> chunks{bytes_view(wire).substr(0, cut),
                                             bytes_view(wire).substr(cut)};
        EXPECT_EQ(detail::events_of<role::server>(chunks), expected) << cut;
        EXPECT_EQ(detail::events_of<role::server>(chunks, {}, true), expected) << cut;
    }
}

TEST(Parser, OffersSpaceToReadALargePayloadIntoAndKeepsItInABlock) {
    struct keeping_visitor : detail::recording_visitor {
        block_pointer kept;
        bytes_view payload;
        flow on_message(const message_operation& message) {
            kept = *message.whole;
            payload = message.payload;
            return flow::proceed;
        }
    } visitor;
    parser<role::server> reader;
    const std::string begin = "PUB a 100000\r\nbegin";
    const std::string rest = std::string(100000 - 5, 'x') + "\r\n";

    EXPECT_TRUE(reader.direct_space().empty());
    EXPECT_EQ(reader.parse(begin, {}, visitor).status, parse_status::need_more);
    EXPECT_FALSE(reader.idle());
    const auto space = reader.direct_space();
    ASSERT_EQ(space.size(), rest.size());
    std::memcpy(space.data(), rest.data(), rest.size());
    reader.commit_direct(rest.size());
    EXPECT_EQ(reader.parse("", {}, visitor).status, parse_status::need_more);

    EXPECT_TRUE(reader.idle());
    ASSERT_TRUE(visitor.kept);
    EXPECT_EQ(visitor.payload, "begin" + rest.substr(0, 100000 - 5));
    EXPECT_EQ(bytes_view(visitor.kept->data(), visitor.kept->size()),
              begin.substr(4) + rest); // The whole operation without its name.
}

TEST(Parser, OffersNoSpaceWhenLittleIsMissing) {
    parser<role::server> reader;
    detail::recording_visitor visitor;
    EXPECT_EQ(reader.parse("PUB a 1000\r\n", {}, visitor).status, parse_status::need_more);
    EXPECT_TRUE(reader.direct_space().empty());
}

TEST(Parser, AllocatesNothingForMessagesThatLieWholeInTheInput) {
    struct counting_visitor : detail::recording_visitor {
        std::size_t messages = 0;
        flow on_message(const message_operation& message) {
            EXPECT_EQ(message.whole, nullptr);
            ++messages;
            return flow::proceed;
        }
        flow on_subscribe(const subscribe_operation&) { return flow::proceed; }
        flow on_ping() { return flow::proceed; }
    } visitor;
    std::string wire;
    for (int i = 0; i < 1000; ++i) {
        wire += "PUB orders.new 16\r\n0123456789abcdef\r\nPUB a reply.to 2\r\nhi\r\nPING\r\n"
                "HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\npub  a 1\r\nx\r\nSUB a b 1\r\n"
                "PUB a.long.subject.that.needs.more.than.the.window.of.sixty.four.bytes 1\r\nx\r\n";
    }
    parser<role::server> reader;
    const auto before = test::allocation_count();
    EXPECT_EQ(reader.parse(wire, {}, visitor).status, parse_status::need_more);
    EXPECT_EQ(test::allocation_count(), before);
    EXPECT_EQ(visitor.messages, 5000u);
}

TEST(Parser, NeedsTwoPointersWhenIdle) {
    EXPECT_LE(sizeof(parser<role::server>), 2 * sizeof(void*));
    parser<role::server> reader;
    EXPECT_TRUE(reader.idle());
}

} // namespace
} // namespace pipit::protocol
