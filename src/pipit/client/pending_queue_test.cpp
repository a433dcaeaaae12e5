// SPDX-License-Identifier: Apache-2.0
#include <pipit/client/detail/pending_queue.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pipit::client::detail {
namespace {

using outcome = pending_queue::outcome;

/// Of `size()` 10.
message numbered(char number) { return message("a", "", "", std::string(9, number)); }

char number_of(const std::optional<message>& taken) { return taken ? taken->payload()[0] : '-'; }

TEST(PendingQueue, GivesMessagesInTheirOrder) {
    pending_queue queue(100, 1000, when_full::drop_new);
    for (const char c : {'1', '2', '3'}) EXPECT_EQ(queue.push(numbered(c)), outcome::queued);
    EXPECT_EQ(queue.size(), 3u);
    EXPECT_EQ(queue.bytes(), 30u);
    EXPECT_EQ(number_of(queue.pop()), '1');
    EXPECT_EQ(queue.push(numbered('4')), outcome::queued);
    for (const char c : {'2', '3', '4', '-'}) EXPECT_EQ(number_of(queue.pop()), c);
    EXPECT_EQ(queue.bytes(), 0u);
}

TEST(PendingQueue, StaysInOrderWhileItIsFilledAndEmptiedAtOnce) {
    pending_queue queue(10'000, 1'000'000, when_full::drop_new);
    int pushed = 0;
    int popped = 0;
    while (popped < 5000) {
        for (int i = 0; i < 3 && pushed < 5000; ++i) {
            EXPECT_EQ(queue.push(message("a", "", "", std::to_string(pushed++))), outcome::queued);
        }
        for (int i = 0; i < 2; ++i) {
            const auto next = queue.pop();
            if (next) {
                EXPECT_EQ(next->payload(), std::to_string(popped++));
            }
        }
    }
    EXPECT_TRUE(queue.empty());
}

TEST(PendingQueue, DropsNewMessagesAtEitherLimit) {
    pending_queue by_count(2, 1000, when_full::drop_new);
    for (const char c : {'1', '2'}) EXPECT_EQ(by_count.push(numbered(c)), outcome::queued);
    EXPECT_EQ(by_count.push(numbered('3')), outcome::dropped);
    EXPECT_EQ(by_count.dropped(), 1u);
    EXPECT_EQ(number_of(by_count.pop()), '1');
    EXPECT_EQ(by_count.push(numbered('4')), outcome::queued);
    for (const char c : {'2', '4', '-'}) EXPECT_EQ(number_of(by_count.pop()), c);

    pending_queue by_bytes(100, 25, when_full::drop_new);
    for (const char c : {'1', '2'}) EXPECT_EQ(by_bytes.push(numbered(c)), outcome::queued);
    EXPECT_EQ(by_bytes.push(numbered('3')), outcome::dropped);
}

TEST(PendingQueue, DropsTheOldestToMakeRoom) {
    pending_queue queue(2, 1000, when_full::drop_old);
    for (const char c : {'1', '2'}) EXPECT_EQ(queue.push(numbered(c)), outcome::queued);
    for (const char c : {'3', '4'}) EXPECT_EQ(queue.push(numbered(c)), outcome::dropped);
    EXPECT_EQ(queue.dropped(), 2u);
    for (const char c : {'3', '4', '-'}) EXPECT_EQ(number_of(queue.pop()), c);
}

TEST(PendingQueue, TakesAMessageLargerThanTheLimitWhenItIsTheOnlyOne) {
    for (const auto policy : {when_full::drop_new, when_full::drop_old}) {
        pending_queue queue(10, 5, policy);
        EXPECT_EQ(queue.push(numbered('1')), outcome::queued);
        EXPECT_EQ(queue.push(numbered('2')), outcome::dropped);
        EXPECT_EQ(queue.size(), 1u);
    }
}

TEST(PendingQueue, AsksToWaitAndSaysWhenThereIsRoomAgain) {
    pending_queue queue(4, 1000, when_full::wait);
    for (const char c : {'1', '2', '3'}) EXPECT_EQ(queue.push(numbered(c)), outcome::queued);
    EXPECT_FALSE(queue.is_full());
    EXPECT_EQ(queue.push(numbered('4')), outcome::queued);
    EXPECT_TRUE(queue.is_full());
    EXPECT_EQ(queue.push(numbered('5')), outcome::queued) << "what was read already is kept";
    EXPECT_EQ(number_of(queue.pop()), '1');
    EXPECT_FALSE(queue.has_room_again());
    while (queue.size() > 2) (void)queue.pop();
    EXPECT_TRUE(queue.has_room_again());
    EXPECT_EQ(queue.dropped(), 0u);
}

} // namespace
} // namespace pipit::client::detail
