// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/codec_msgpack.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace pipit::client {
namespace {

struct order {
    std::string item;
    int count = 0;
    MSGPACK_DEFINE(item, count)
};

std::string written(const order& value) {
    std::string out;
    msgpack_codec::append(out, value);
    return out;
}

TEST(MessagePack, CarriesValues) {
    const auto bytes = written({"tea", 2});
    EXPECT_EQ(bytes, "\x92\xa3tea\x02");
    const message with_type("a", "", "NATS/1.0\r\nContent-Type: application/msgpack\r\n\r\n",
                            bytes);
    const auto read = read_as<order, msgpack_codec>(with_type);
    EXPECT_EQ(read.value().item, "tea");
    EXPECT_EQ(read.value().count, 2);
}

TEST(MessagePack, SaysWhatIsWrongWithAPayload) {
    const auto good = written({"tea", 2});
    const std::string one_more = good + "\x01";
    for (std::size_t size = 0; size < good.size(); ++size) {
        const message cut("a", "", "", bytes_view(good).substr(0, size));
        EXPECT_EQ((read_as<order, msgpack_codec>(cut).error()), errc::invalid_content) << size;
    }
    for (const bytes_view wrong :
         {bytes_view("\x01"), bytes_view(one_more), bytes_view("\xdd\xff\xff\xff\xff"),
          bytes_view("\xdf\xff\xff\xff\xff"), bytes_view("\xc6\xff\xff\xff\xff"),
          bytes_view("\xc1"), bytes_view()}) {
        const message payload("a", "", "", wrong);
        EXPECT_EQ((read_as<order, msgpack_codec>(payload).error()), errc::invalid_content);
    }
}

} // namespace
} // namespace pipit::client
