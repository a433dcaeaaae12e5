// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/content_encoding.hpp>

#include <gtest/gtest.h>

#include <snappy.h>
#include <string>
#include <zlib.h>

namespace {

using namespace pipit;
using broker::content_encoding;
using broker::encode;

std::string inflated(const std::string& bytes, std::size_t size) {
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    std::string out(size, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    inflateEnd(&stream);
    return out;
}

/// What the chunks behind the stream's identifier hold.
std::string unframed(bytes_view stream) {
    std::string out;
    stream.remove_prefix(10);
    while (!stream.empty()) {
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(stream[at]); };
        const std::size_t size = byte(1) | byte(2) << 8 | byte(3) << 16;
        const auto data = stream.substr(8, size - 4);
        std::string chunk(data);
        if (byte(0) == 0) {
            EXPECT_TRUE(snappy::Uncompress(data.data(), data.size(), &chunk));
        }
        out += chunk;
        stream.remove_prefix(4 + size);
    }
    return out;
}

TEST(ContentEncoding, LeavesBytesAsTheyAreWhenNobodyAskedForLess) {
    EXPECT_EQ(encode(content_encoding::none, "{}"), "{}");
    EXPECT_EQ(encode(content_encoding::identity, "{}"), "{}");
    EXPECT_EQ(name(content_encoding::none), "");
    EXPECT_EQ(name(content_encoding::identity), "identity");
}

TEST(ContentEncoding, GivesBackWhatWasCompressed) {
    std::string text;
    for (int i = 0; i < 30'000; ++i) text += "event " + std::to_string(i) + ",";
    const auto zipped = encode(content_encoding::gzip, text);
    EXPECT_LT(zipped.size(), text.size() / 2);
    EXPECT_EQ(inflated(zipped, text.size()), text);
    const auto snapped = encode(content_encoding::snappy, text);
    EXPECT_LT(snapped.size(), text.size() / 2);
    EXPECT_EQ(unframed(snapped), text);
}

TEST(ContentEncoding, FramesSnappyAsItsFormatSays) {
    // The bytes of a writer that is not ours: identifier, one chunk with its masked checksum.
    const bytes_view stream_of_abc{"\xff\x06\x00\x00sNaPpY\x01\x07\x00\x00", 14};
    const auto framed = encode(content_encoding::snappy, "abc");
    EXPECT_EQ(framed.substr(0, 14), stream_of_abc);
    EXPECT_EQ(framed.substr(18), "abc");
    // CRC-32C of "123456789" is e3069283, a check value of the checksum's catalogue.
    const auto digits = encode(content_encoding::snappy, "123456789");
    const std::uint32_t masked = (0xe3069283u >> 15 | 0xe3069283u << 17) + 0xa282ead8u;
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(static_cast<unsigned char>(digits[14 + i]), masked >> 8 * i & 0xff);
    }
}

} // namespace
