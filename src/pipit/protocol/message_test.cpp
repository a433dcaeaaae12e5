// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/message.hpp>

#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace pipit::protocol {
namespace {

constexpr auto block_of_two = "NATS/1.0 100 Idle\r\nA: 1\r\nB: 2\r\n\r\n";

TEST(Message, OwnsWhatItWasMadeOf) {
    message kept;
    {
        const std::string subject = "orders.new", reply = "inbox", payload(10'000, 'x');
        kept = message(subject, reply, block_of_two, payload);
    }
    EXPECT_EQ(kept.subject(), "orders.new");
    EXPECT_EQ(kept.reply(), "inbox");
    EXPECT_EQ(kept.header_block(), block_of_two);
    EXPECT_EQ(kept.payload(), std::string(10'000, 'x'));
    EXPECT_EQ(kept.size(), 10u + 5 + std::strlen(block_of_two) + 10'000);
}

TEST(Message, SharesItsBytesWithItsCopies) {
    const message first("a", "", "", "payload");
    const message second = first; // NOLINT: the copy is what is tested.
    EXPECT_EQ(first.payload().data(), second.payload().data());
}

TEST(Message, SharesABlockIntoWhichItsPartsPoint) {
    constexpr bytes_view line = "orders 7 4\r\ndata\r\n";
    auto block = block::make(line.size());
    std::memcpy(block->data(), line.data(), line.size());
    const bytes_view whole(block->data(), block->size());
    const message shared(block, whole.substr(0, 6), {}, {}, whole.substr(12, 4));
    EXPECT_EQ(shared.subject(), "orders");
    EXPECT_EQ(shared.reply(), "");
    EXPECT_EQ(shared.payload(), "data");
    EXPECT_EQ(shared.payload().data(), block->data() + 12);
}

TEST(Message, IsEmptyWithoutAnything) {
    const message none;
    EXPECT_EQ(none.subject(), "");
    EXPECT_EQ(none.size(), 0u);
    EXPECT_FALSE(none.has_headers());
    EXPECT_EQ(none.status(), 0);
    EXPECT_EQ(none.header("A"), std::nullopt);
    EXPECT_TRUE(none.headers()->empty());
    EXPECT_EQ(message("", "", "", "").payload(), "");
}

TEST(Message, ReadsItsHeaders) {
    const message with("a", "", block_of_two, "");
    EXPECT_TRUE(with.has_headers());
    EXPECT_EQ(with.status(), 100);
    EXPECT_EQ(with.header("B"), "2");
    EXPECT_EQ(with.headers()->size(), 2u);
    EXPECT_EQ(message("a", "", "nonsense", "").headers().error(), errc::invalid_header);
}

} // namespace
} // namespace pipit::protocol
