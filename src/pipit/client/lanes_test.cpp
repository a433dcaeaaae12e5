// SPDX-License-Identifier: Apache-2.0
#include <support/client_world.hpp>

#include <pipit/client/lanes.hpp>

#include <map>
#include <mutex>
#include <set>

namespace pipit::client {
namespace {

using namespace support;

const lanes orders{.subject = "orders", .count = 4};

TEST(Lanes, SayWhatTheServerMustMap) {
    EXPECT_EQ(orders.mapping(), R"("orders.*": "orders.{{partition(4,1)}}.{{wildcard(1)}}")");
    EXPECT_EQ(orders.lane_subject(3), "orders.3.*");
    EXPECT_EQ(orders.lane_queue(3), "lanes-3");
    EXPECT_EQ(orders.subject_for("joe"), "orders.joe");
}

TEST(Lanes, AreServedByMembersThatAreOnesOfThem) {
    EXPECT_TRUE(check_lanes(orders, {}));
    EXPECT_TRUE(check_lanes(orders, {.member = 6, .members = 7}));
    for (const lane_share share : {lane_share{0, 0}, lane_share{2, 2}, lane_share{5, 2}}) {
        EXPECT_FALSE(check_lanes(orders, share)) << share.member;
    }
    EXPECT_FALSE((lane_share{0, 0}.has(1)));
    EXPECT_FALSE(check_lanes({.subject = "orders", .count = 0}, {}));
    EXPECT_EQ(check_lanes({.subject = "orders.*"}, {}).error(), protocol::errc::invalid_subject);
    blocking_connection nats;
    const auto made = subscribe_lanes(nats, orders, {.member = 0, .members = 0});
    EXPECT_EQ(made.error().code(), boost::system::errc::invalid_argument);
    EXPECT_NE(made.error().message().find("'orders'"), std::string::npos);
}

TEST(Lanes, KeepTheOrderOfEachKeyWhoeverServesIt) {
    const auto server = start_server({.configuration = "mappings { " + orders.mapping() + " }"});
    blocking_connection one({.servers = {server->url()}});
    blocking_connection other({.servers = {server->url()}});
    one.connect().value();
    other.connect().value();

    std::mutex mutex;
    std::map<std::string, int> next;               // Of each key.
    std::map<std::string, std::uint32_t> lane_of;  // Of each key.
    std::map<std::uint32_t, std::set<int>> served; // By whom, each lane.
    int count = 0;
    const auto work_as = [&](int member) {
        return [&, member](std::uint32_t lane, message work) {
            const std::lock_guard held(mutex);
            const auto subject = work.subject();
            const auto key = std::string(subject.substr(subject.rfind('.') + 1));
            EXPECT_EQ(work.payload(), std::to_string(next[key]++));
            EXPECT_EQ(lane_of.emplace(key, lane).first->second, lane);
            served[lane].insert(member);
            ++count;
        };
    };
    auto first = subscribe_lanes(one, orders, {.member = 0, .members = 2}, work_as(0)).value();
    auto second = subscribe_lanes(other, orders, {.member = 1, .members = 2}, work_as(1)).value();
    EXPECT_EQ(first.size(), 2u);
    EXPECT_EQ(second.size(), 2u);
    one.flush().value();
    other.flush().value();

    constexpr int keys = 40;
    constexpr int each = 25;
    for (int i = 0; i < each; ++i) {
        for (int key = 0; key < keys; ++key) {
            one.publish(orders.subject_for("k" + std::to_string(key)), std::to_string(i)).value();
        }
    }
    one.drain().value();
    other.drain().value();
    const std::lock_guard held(mutex);
    EXPECT_EQ(count, keys * each);
    EXPECT_EQ(served.size(), 4u) << "forty keys use all lanes";
    for (const auto& [lane, members] : served) EXPECT_EQ(members.size(), 1u);
}

TEST(Lanes, AreTakenFromOneAfterTheOther) {
    const auto server = start_server({.configuration = "mappings { " + orders.mapping() + " }"});
    blocking_connection nats({.servers = {server->url()}});
    nats.connect().value();
    auto all = subscribe_lanes(nats, orders).value();
    ASSERT_EQ(all.size(), 4u);
    for (int i = 0; i < 100; ++i) nats.publish(orders.subject_for(std::to_string(i)), "").value();
    nats.flush().value();
    std::size_t count = 0;
    for (auto& lane : all) count += lane.statistics().pending_messages;
    EXPECT_EQ(count, 100u);
}

} // namespace
} // namespace pipit::client
