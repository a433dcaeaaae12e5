// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/detail/websocket_frames.hpp>
#include <pipit/net/error.hpp>
#include <pipit/net/websocket_codec.hpp>

#include <gtest/gtest.h>

namespace pipit::net {
namespace {

using namespace std::string_literals;
using detail::frame_of;
using detail::frames_in;
using detail::masked;
using opcode = websocket_opcode;
using parts = std::vector<std::pair<opcode, std::string>>;

constexpr websocket_reader::rules of_client{.masks = mask_rule::required};
constexpr websocket_reader::rules of_server{.masks = mask_rule::forbidden};
constexpr websocket_reader::rules unmasked_client{.masks = mask_rule::either};
constexpr websocket_reader::rules compressing_client{.masks = mask_rule::required,
                                                     .allows_compression = true};

std::string why(bytes_view wire, websocket_reader::rules rules = of_client) {
    return frames_in(wire, rules).why;
}

TEST(WebSocketCodec, ReadsTheExamplesOfTheRfc) {
    // Source: RFC 6455, 5.7.
    EXPECT_EQ(frames_in("\x81\x05Hello"s, of_server).parts, (parts{{opcode::binary, "Hello"}}));
    EXPECT_EQ(frames_in("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s, of_client).parts,
              (parts{{opcode::binary, "Hello"}}));
    EXPECT_EQ(frames_in("\x01\x03Hel"s + "\x80\x02lo"s, of_server).parts,
              (parts{{opcode::binary, "Hello"}}));
    EXPECT_EQ(frames_in("\x89\x05Hello"s, of_server).parts, (parts{{opcode::ping, "Hello"}}));
    EXPECT_EQ(frames_in("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s, of_client).parts,
              (parts{{opcode::pong, "Hello"}}));
    EXPECT_EQ(frames_in("\x82\x7e\x01\x00"s + std::string(256, 'x'), of_server).parts,
              (parts{{opcode::binary, std::string(256, 'x')}}));
    EXPECT_EQ(frames_in("\x82\x7f\0\0\0\0\0\1\0\0"s + std::string(65536, 'x'), of_server).parts,
              (parts{{opcode::binary, std::string(65536, 'x')}}));
}

TEST(WebSocketCodec, ReadsTheSameWhereverTheBytesAreCut) {
    const auto wire = masked("a stream") + masked("") + masked("ping", opcode::ping) +
                      frame_of({.opcode = opcode::text, .is_final = false, .mask = {{1, 2, 3, 4}}},
                               std::string(300, 'a')) +
                      masked("between", opcode::pong) +
                      frame_of({.opcode = opcode::continuation, .mask = {{5, 6, 7, 8}}},
                               std::string(70'000, 'b')) +
                      masked(close_payload(1000, "bye"), opcode::close);
    const auto whole = frames_in(wire, of_client);
    ASSERT_EQ(whole.why, "");
    ASSERT_EQ(whole.parts.size(), 6U);
    EXPECT_EQ(whole.parts[4].second, std::string(300, 'a') + std::string(70'000, 'b'));
    for (std::size_t piece = 1; piece < 400; ++piece) {
        ASSERT_EQ(frames_in(wire, of_client, piece), whole) << piece;
    }
}

TEST(WebSocketCodec, WritesTheShortestHeaderThatHoldsTheLength) {
    for (const auto& [payload_bytes, header_bytes] :
         std::vector<std::pair<std::size_t, std::size_t>>{
             {0, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}}) {
        std::string header;
        append_frame_header(header, {}, payload_bytes);
        EXPECT_EQ(header.size(), header_bytes) << payload_bytes;
        const auto wire = header + std::string(payload_bytes, 'x');
        EXPECT_EQ(frames_in(wire, of_server).parts,
                  (parts{{opcode::binary, std::string(payload_bytes, 'x')}}));
    }
}

TEST(WebSocketCodec, MasksTheSameFromAnyOffset) {
    for (std::size_t size = 0; size < 40; ++size) {
        std::string plain;
        for (std::size_t i = 0; i < size; ++i) plain += static_cast<char>(i * 7);
        std::string expected = plain;
        for (std::size_t i = 0; i < size; ++i) {
            expected[i] = static_cast<char>(expected[i] ^ detail::some_mask[i % 4]);
        }
        for (std::size_t cut = 0; cut <= size; ++cut) {
            auto in_two = plain;
            apply_mask(std::span(in_two).first(cut), detail::some_mask, 0);
            apply_mask(std::span(in_two).subspan(cut), detail::some_mask, cut);
            ASSERT_EQ(in_two, expected) << size << ' ' << cut;
        }
    }
}

TEST(WebSocketCodec, AClientMustMaskUnlessItMayNotAndAServerMustNot) {
    EXPECT_EQ(why("\x82\x05Hello"s), "mask bit missing");
    EXPECT_EQ(why(masked("Hello"), of_server), "frame of a server is masked");
    EXPECT_EQ(frames_in("\x82\x05Hello"s + masked("again"), unmasked_client).parts,
              (parts{{opcode::binary, "Hello"}, {opcode::binary, "again"}}));
}

TEST(WebSocketCodec, RefusesFramesThatBreakTheRules) {
    EXPECT_EQ(why("\xa2\x85"s), "RSV2 and RSV3 must be clear");
    EXPECT_EQ(why("\x92\x85"s), "RSV2 and RSV3 must be clear");
    EXPECT_EQ(why("\xc2\x85"s), "compressed frame received without negotiated permessage-deflate");
    EXPECT_EQ(why("\x83\x85"s), "unknown opcode 3");
    EXPECT_EQ(why("\x8f\x85"s), "unknown opcode 15");
    EXPECT_EQ(why("\x80\x85"s), "invalid continuation frame");
    EXPECT_EQ(why("\x02\x80\x01\x01\x01\x01"s + "\x82\x80"s),
              "new message started before final frame for previous message was received");
    EXPECT_EQ(why("\x42\x80\x01\x01\x01\x01"s + "\xc0\x80"s, compressing_client),
              "invalid continuation frame");
    EXPECT_EQ(why("\x82\xff\x80\0\0\0\0\0\0\0\1\1\1\1"s), "invalid 64-bit payload length");
}

TEST(WebSocketCodec, RefusesControlFramesThatAreLongCutOrCompressed) {
    for (const auto first : {'\x88', '\x89', '\x8a'}) {
        EXPECT_EQ(why(std::string{first} + "\xfe"s),
                  "control frame length bigger than maximum allowed of 125 bytes");
        EXPECT_EQ(why(std::string{static_cast<char>(first & 0x0f)} + "\x80"s),
                  "control frame does not have final bit set");
        EXPECT_EQ(why(std::string{static_cast<char>(first | 0x40)} + "\x80"s, compressing_client),
                  "control frame must not be compressed");
    }
}

TEST(WebSocketCodec, GivesAFrameWithoutEndAsItComes) {
    websocket_reader reader(of_client);
    auto wire = "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\1\1\1\1"s;
    bytes_view header = wire;
    const auto nothing = reader.next(header);
    ASSERT_TRUE(nothing.has_value());
    EXPECT_FALSE(nothing->has_value());
    for (int i = 0; i < 3; ++i) {
        const std::string piece(1000, '\1');
        bytes_view rest = piece;
        const auto next = reader.next(rest);
        ASSERT_TRUE(next && *next);
        EXPECT_EQ((*next)->payload.size(), 1000U);
        EXPECT_FALSE((*next)->ends_message);
    }
}

TEST(WebSocketCodec, ReadsWhatACloseSays) {
    EXPECT_FALSE(parse_close("")->status);
    const auto said = parse_close(close_payload(1008, "Authentication Timeout"));
    ASSERT_TRUE(said.has_value());
    EXPECT_EQ(said->status, 1008);
    EXPECT_EQ(said->reason, "Authentication Timeout");
    EXPECT_EQ(parse_close("x").error().detail(), "close frame payload cannot be 1 byte");
    for (const int status : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535}) {
        const auto refused = parse_close(close_payload(static_cast<std::uint16_t>(status), ""));
        ASSERT_FALSE(refused.has_value()) << status;
        EXPECT_EQ(refused.error().detail(), "invalid close status code " + std::to_string(status));
    }
    for (const int status : {1000, 1003, 1007, 1014, 3000, 4999}) {
        EXPECT_TRUE(parse_close(close_payload(static_cast<std::uint16_t>(status), ""))) << status;
    }
}

TEST(WebSocketCodec, AReasonThatIsNoUtf8IsAnInvalidPayload) {
    for (const auto& wrong : {"\xff"s, "\xc0\xaf"s, "\xe2\x82"s, "\xed\xa0\x80"s,
                              "\xf4\x90\x80\x80"s, "\xe0\x80\x80"s, "\xf0\x80\x80\x80"s, "\x80"s}) {
        EXPECT_EQ(parse_close(close_payload(1000, wrong))->status, 1007);
    }
    for (const auto& right : {"a"s, "\xc3\xa9"s, "\xe2\x82\xac"s, "\xf0\x9f\x90\xa6"s}) {
        EXPECT_EQ(parse_close(close_payload(1000, right))->status, 1000);
    }
}

TEST(WebSocketCodec, ALongReasonEndsInDotsAndInWholeCharacters) {
    EXPECT_EQ(close_payload(1002, std::string(123, 'x')).size(), 125U);
    EXPECT_EQ(close_payload(1002, std::string(124, 'x')).substr(2), std::string(120, 'x') + "...");
    std::string euros;
    while (euros.size() < 200) euros += "\xe2\x82\xac";
    const auto cut = close_payload(1002, "x" + euros);
    EXPECT_LE(cut.size(), 125U);
    EXPECT_EQ(parse_close(cut)->status, 1002);
}

} // namespace
} // namespace pipit::net
