// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/pointer_table.hpp>

#include <pipit/base/random.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <unordered_map>

namespace pipit::broker {
namespace {

struct item {
    std::uint64_t key;
};
struct by_key {
    static bool matches(const item& item, std::uint64_t key) noexcept { return item.key == key; }
};
using table = pointer_table<item, by_key>;

/// Few values, among them 0, and many that belong to the last slots: items are pushed over the end.
std::uint64_t clustered_hash(std::uint64_t key) {
    return key % 3 == 0 ? key % 5 : 0xffff'ffff'ffff'ffff - key % 7;
}

TEST(PointerTable, FindsWhatIsInItAndNothingElseWhileItemsComeAndGo) {
    random_source random(1);
    table items;
    std::unordered_map<std::uint64_t, item*> model;
    std::deque<item> made;
    for (int step = 0; step < 20'000; ++step) {
        const std::uint64_t key = random.below(200);
        const auto hash = clustered_hash(key);
        const auto where = items.look_up(hash, key);
        auto* known = where.item;
        ASSERT_EQ(known, model.contains(key) ? model[key] : nullptr) << "step " << step;
        ASSERT_EQ(known, items.find(hash, key)) << "step " << step;
        if (known == nullptr && random.below(2) == 0) {
            items.insert(where, hash, model[key] = &made.emplace_back(item{key}));
        } else if (known == nullptr) {
            items.insert(hash, model[key] = &made.emplace_back(item{key}));
        } else if (random.below(4) == 0) {
            items.replace(hash, known, model[key] = &made.emplace_back(item{key}));
        } else {
            items.erase(hash, known);
            model.erase(key);
        }
        ASSERT_EQ(items.size(), model.size());
    }
    std::size_t visited = 0;
    items.for_each([&](item& each) {
        ++visited;
        EXPECT_EQ(model[each.key], &each);
    });
    EXPECT_EQ(visited, model.size());
}

TEST(PointerTable, KeepsEveryItemWhenItGrowsAndNothingWhenItIsEmptied) {
    table items;
    std::deque<item> made;
    const auto hash = [](std::uint64_t key) { return key * 0x9e3779b97f4a7c15u >> 16; };
    for (std::uint64_t key = 0; key < 5000; ++key) {
        items.insert(hash(key), &made.emplace_back(item{key}));
    }
    for (auto& each : made) {
        items.prefetch(hash(each.key));
        EXPECT_EQ(items.find(hash(each.key), each.key), &each);
    }
    for (auto& each : made) items.erase(hash(each.key), &each);
    EXPECT_TRUE(items.empty());
    EXPECT_EQ(items.find(hash(1), std::uint64_t{1}), nullptr);
}

} // namespace
} // namespace pipit::broker
