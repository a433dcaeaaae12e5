// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/weighted_mapping.hpp>

#include <pipit/protocol/error.hpp>

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace {

using namespace pipit::protocol;
using destinations = std::vector<mapping_destination>;

/// How often each subject comes out of 10,000 messages; "" are those that are lost.
std::map<std::string, int> spread(const weighted_mapping& mapping, std::string_view subject) {
    pipit::random_source random(7);
    std::map<std::string, int> counts;
    for (int i = 0; i < 10'000; ++i) {
        std::string mapped = "something from before";
        const bool goes = mapping.apply(subject, random, mapped);
        EXPECT_EQ(goes, !mapped.empty());
        ++counts[mapped];
    }
    return counts;
}

TEST(WeightedMapping, SendsEverythingToItsOnlyDestination) {
    const auto mapping = weighted_mapping::make("a.*", {{"b.$1", 100, ""}}).value();
    EXPECT_TRUE(mapping.matches("a.x"));
    EXPECT_FALSE(mapping.matches("a.x.y"));
    EXPECT_EQ(spread(mapping, "a.x"), (std::map<std::string, int>{{"b.x", 10'000}}));
}

TEST(WeightedMapping, SpreadsByWeightAndKeepsTheRest) {
    const auto mapping =
        weighted_mapping::make("a.*", {{"b.$1", 50, ""}, {"c.$1", 20, ""}}).value();
    const auto counts = spread(mapping, "a.x");
    ASSERT_EQ(counts.size(), 3u);
    EXPECT_NEAR(counts.at("b.x"), 5000, 200);
    EXPECT_NEAR(counts.at("c.x"), 2000, 200);
    EXPECT_NEAR(counts.at("a.x"), 3000, 200);
}

TEST(WeightedMapping, LosesTheRestWhenTheSourceIsADestination) {
    const auto mapping = weighted_mapping::make("los", {{"los", 75, ""}}).value();
    const auto counts = spread(mapping, "los");
    ASSERT_EQ(counts.size(), 2u);
    EXPECT_NEAR(counts.at("los"), 7500, 200);
    EXPECT_NEAR(counts.at(""), 2500, 200);
}

TEST(WeightedMapping, KeepsEverythingWithoutWeight) {
    const auto zero = weighted_mapping::make("a.>", {{"b.>", 0, ""}}).value();
    EXPECT_EQ(spread(zero, "a.x.y"), (std::map<std::string, int>{{"a.x.y", 10'000}}));
    const auto none = weighted_mapping::make("a", {}).value();
    EXPECT_EQ(spread(none, "a"), (std::map<std::string, int>{{"a", 10'000}}));
}

TEST(WeightedMapping, ObeysTheDestinationsOfItsOwnCluster) {
    const destinations all{{"east", 100, "east"}, {"west", 30, "west"}, {"other", 100, ""}};
    const auto counts = [&](std::string_view cluster) {
        return spread(weighted_mapping::make("a", all, cluster).value(), "a");
    };
    EXPECT_EQ(counts("east"), (std::map<std::string, int>{{"east", 10'000}}));
    EXPECT_EQ(counts(""), (std::map<std::string, int>{{"other", 10'000}}));
    EXPECT_EQ(counts("north"), (std::map<std::string, int>{{"other", 10'000}}));
    EXPECT_NEAR(counts("west").at("a"), 7000, 200);
}

TEST(WeightedMapping, HasAsManyClustersAsAJwtHasRoomFor) {
    destinations all;
    for (int i = 0; i < 50'000; ++i) {
        const auto number = std::to_string(i);
        all.push_back({"b." + number, 100, "c" + number});
    }
    const auto mapping = weighted_mapping::make("a", all, "c7").value();
    EXPECT_EQ(mapping.destinations().size(), all.size() + 1) << "and a of those without a cluster";
    EXPECT_EQ(spread(mapping, "a"), (std::map<std::string, int>{{"b.7", 10'000}}));
}

TEST(WeightedMapping, ShowsItsDestinationsWithTheRest) {
    const destinations written{{"b.$1", 60, ""}, {"c.$1", 10, ""}, {"w.$1", 40, "west"}};
    EXPECT_EQ(weighted_mapping::make("a.*", written)->destinations(),
              (destinations{{"c.$1", 10, ""},
                            {"a.$1", 30, ""},
                            {"b.$1", 60, ""},
                            {"w.$1", 40, "west"},
                            {"a.$1", 60, "west"}}));
}

TEST(WeightedMapping, RefusesInTheWordsOfNatsServer) {
    const auto detail_of = [](std::string_view source, const destinations& written) {
        const auto made = weighted_mapping::make(source, written);
        EXPECT_EQ(made.error(), errc::invalid_mapping);
        return std::string(made.error().detail());
    };
    EXPECT_EQ(detail_of("a", {{"b", 50, ""}, {"b", 10, "east"}}), "duplicate entry for \"b\"");
    EXPECT_EQ(detail_of("a", {{"b", 101, ""}}), "individual weights need to be <= 100");
    EXPECT_EQ(detail_of("a", {{"b", 60, "x"}, {"c", 41, "x"}}), "total weight needs to be <= 100");
    EXPECT_TRUE(weighted_mapping::make("a", {{"b", 60, "x"}, {"c", 41, "y"}}));
    EXPECT_EQ(detail_of("a..b", {{"b", 100, ""}}), "invalid subject");
    EXPECT_EQ(detail_of("a.*", {{"b.$2", 100, ""}}),
              "invalid mapping destination: wildcard index out of range in $2: [2]");
}

} // namespace
