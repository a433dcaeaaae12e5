// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/strangers.hpp>

#include <pipit/base/stranger_limits.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pipit::server {
namespace {

constexpr auto base = limits::stranger_bytes_min;

/// Strangers by name; whoever is turned away is gone.
class crowd {
public:
    explicit crowd(std::size_t most) : all(most, [this] { ++complaints; }) {}

    void keep(const std::string& name, const std::string& address, std::size_t bytes) {
        auto& found = stays[name];
        if (!found) {
            found = std::make_unique<strangers::stay>(all, party(address), [this, name] {
                gone.push_back(name);
                stays.erase(name);
            });
        }
        found->keeps(bytes);
    }

    int complaints = 0;
    std::vector<std::string> gone;
    strangers all;
    std::map<std::string, std::unique_ptr<strangers::stay>> stays;
};

TEST(Strangers, StayAsLongAsTheyFit) {
    crowd crowd(2 * base + 100);
    crowd.keep("a", "192.0.2.1", 60);
    crowd.keep("b", "192.0.2.1", 40);
    EXPECT_EQ(crowd.complaints, 0);
    EXPECT_EQ(crowd.all.make_room(), 0U);
    EXPECT_TRUE(crowd.gone.empty());
}

TEST(Strangers, GoWhenTheyHaveKeptSomethingLongest) {
    crowd crowd(3 * base + 100);
    for (const auto* name : {"first", "second", "third"}) crowd.keep(name, "192.0.2.1", 30);
    crowd.keep("first", "192.0.2.1", 31); // More of the same does not make it a newcomer.
    crowd.keep("fourth", "192.0.2.1", 30);
    EXPECT_GT(crowd.complaints, 0);
    EXPECT_EQ(crowd.all.make_room(), 1U);
    EXPECT_EQ(crowd.gone, std::vector<std::string>{"first"});
}

TEST(Strangers, OfAnAddressThatKeepsLittleStay) {
    crowd crowd(10 * base + 10'000);
    crowd.keep("honest", "192.0.2.9", 2'000); // Before all the others.
    for (int i = 0; i < 100; ++i) {
        crowd.keep("attacker " + std::to_string(i), "192.0.2." + std::to_string(i % 4), 1'000);
        crowd.all.make_room();
    }
    EXPECT_LE(crowd.all.bytes(), 10 * base + 10'000);
    EXPECT_GT(crowd.gone.size(), 80U);
    EXPECT_EQ(std::ranges::find(crowd.gone, "honest"), crowd.gone.end());
}

TEST(Strangers, OfOneNetworkOfIpv6AreCountedTogether) {
    crowd crowd(10 * base + 10'000);
    crowd.keep("honest", "2001:db8:1::1", 2'000);
    for (int i = 0; i < 100; ++i) {
        crowd.keep("attacker " + std::to_string(i), "2001:db8::" + std::to_string(i), 1'000);
        crowd.all.make_room();
    }
    EXPECT_GT(crowd.gone.size(), 80U);
    EXPECT_EQ(std::ranges::find(crowd.gone, "honest"), crowd.gone.end());
}

TEST(Strangers, WhoGoByThemselvesLeaveNothing) {
    crowd crowd(base * 2);
    crowd.keep("a", "192.0.2.1", 100);
    crowd.keep("b", "192.0.2.2", 100);
    crowd.stays.clear();
    EXPECT_EQ(crowd.all.bytes(), 0U);
    crowd.keep("c", "192.0.2.1", 100);
    EXPECT_EQ(crowd.all.bytes(), base + 100);
    EXPECT_EQ(crowd.all.make_room(), 0U);
}

TEST(Strangers, MayTakeOthersWithThem) {
    strangers all(2 * base, [] {});
    std::vector<std::unique_ptr<strangers::stay>> stays;
    const auto leave_all = [&] { stays.clear(); };
    for (int i = 0; i < 3; ++i) {
        stays.push_back(std::make_unique<strangers::stay>(all, party("192.0.2.1"), leave_all));
    }
    EXPECT_EQ(all.make_room(), 1U);
    EXPECT_EQ(all.bytes(), 0U);
}

TEST(Strangers, ThatWereTurnedAwayButAreStillThereCountNoMore) {
    strangers all(base, [] {});
    strangers::stay one(all, party("192.0.2.1"), [] {});
    strangers::stay other(all, party("192.0.2.1"), [] {});
    EXPECT_EQ(all.make_room(), 1U);
    one.keeps(1'000'000);
    EXPECT_EQ(all.bytes(), base);
}

} // namespace
} // namespace pipit::server
