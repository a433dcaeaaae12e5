// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/mesh.hpp>

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace pipit::broker {
namespace {

peer_batch batch(unsigned source, std::uint64_t number) {
    return {.source = source, .number = number, .records = {'x'}, .blocks = {}};
}

/// What a loop takes now: sources and numbers.
std::vector<std::pair<unsigned, std::uint64_t>> taken(mesh& links, unsigned loop) {
    std::vector<peer_batch> batches;
    links.take(loop, batches);
    std::vector<std::pair<unsigned, std::uint64_t>> seen;
    for (const auto& each : batches) seen.emplace_back(each.source, each.number);
    return seen;
}

using seen = std::vector<std::pair<unsigned, std::uint64_t>>;

TEST(Mesh, ABatchThatIsNotVisibleYetHoldsUpNobodyElses) {
    mesh links(3);
    links.append(2, batch(0, 1));
    links.append(2, batch(1, 1));
    links.make_visible(1, 1, 4);
    EXPECT_EQ(taken(links, 2), (seen{{1, 1}}));
    EXPECT_EQ(taken(links, 2), seen{});
    links.make_visible(0, 1, 4);
    EXPECT_EQ(taken(links, 2), (seen{{0, 1}}));
    EXPECT_EQ(taken(links, 2), seen{});
}

TEST(Mesh, BatchesKeepTheirOrderAroundOneThatIsHidden) {
    mesh links(4);
    links.append(3, batch(0, 1));
    links.append(3, batch(1, 1));
    links.make_visible(0, 1, 8);
    links.append(3, batch(2, 1));
    links.make_visible(2, 1, 8);
    links.append(3, batch(0, 2));
    links.make_visible(0, 2, 8);
    EXPECT_EQ(taken(links, 3), (seen{{0, 1}, {2, 1}, {0, 2}}));
    links.append(3, batch(0, 3));
    links.make_visible(1, 1, 8);
    EXPECT_EQ(taken(links, 3), (seen{{1, 1}}));
}

TEST(Mesh, WakesOnceForWhatBecomesVisibleAndAgainForWhatWasHidden) {
    mesh links(3);
    int woken = 0;
    links.on_wake(2, [&woken] { ++woken; });
    links.append(2, batch(0, 1));
    links.append(2, batch(1, 1));
    links.make_visible(1, 1, 4);
    EXPECT_EQ(woken, 1);
    EXPECT_EQ(taken(links, 2).size(), 1u);
    links.make_visible(0, 1, 4);
    EXPECT_EQ(woken, 2);
}

} // namespace
} // namespace pipit::broker
