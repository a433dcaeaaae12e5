// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/permissions.hpp>
#include <pipit/broker/detail/test_brokers.hpp>
#include <pipit/broker/message_trace.hpp>

#include <support/allocations.hpp>

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace pipit;
using broker::open_configuration;
using broker::test_brokers;
namespace json = boost::json;

const std::string traced = "\"headers\":true,\"no_responders\":true,\"protocol\":1";
const std::string wants_trace = "NATS/1.0\r\nNats-Trace-Dest: tr\r\n\r\n";

/// Three loops; whoever wants traces and whoever publishes are on the first one.
class Trace : public testing::Test {
protected:
    test_brokers::client& connect(unsigned loop, const std::string& name) {
        return loops.connect(traced + ",\"name\":\"" + name + "\"", loop);
    }
    void publish(const std::string& subject, const std::string& headers = "") {
        const auto block = "NATS/1.0\r\nNats-Trace-Dest: tr\r\n" + headers + "\r\n";
        const auto size = std::to_string(block.size());
        loops.send(publisher,
                   "HPUB " + subject + " " + size + " " + size + "\r\n" + block + "\r\n");
    }
    /// The next event that was published about a message.
    json::value next_event() {
        received += loops.take(watcher);
        const auto from = received.find('{', shown);
        if (from == std::string::npos) return nullptr;
        shown = received.find("\r\n", from);
        return json::parse(received.substr(from, shown - from));
    }
    /// How often each connection's name stands among the deliveries of one event.
    static std::map<std::string, int> deliveries(const json::value& event) {
        std::map<std::string, int> names;
        if (!event.is_object()) return names;
        for (const auto& each : event.at("events").as_array()) {
            if (each.at("type") == "eg") ++names[json::value_to<std::string>(each.at("name"))];
        }
        return names;
    }

    test_brokers loops{open_configuration(), 3};
    test_brokers::client& watcher = connect(1, "watcher");
    test_brokers::client& publisher = connect(0, "publisher");
    std::string received;
    std::size_t shown = 0; ///< Of `received`.

    void SetUp() override { loops.send(watcher, "SUB tr 1\r\n"); }
};

using names = std::map<std::string, int>;

TEST_F(Trace, HasTheDeliveriesOfAllLoops) {
    auto& a = connect(0, "a");
    auto& b = connect(1, "b");
    auto& c = connect(2, "c");
    for (auto* each : {&a, &b, &c}) loops.send(*each, "SUB x.y 1\r\nSUB x.* 2\r\n");
    publish("x.y");
    EXPECT_EQ(deliveries(next_event()), (names{{"a", 2}, {"b", 2}, {"c", 2}}));
    EXPECT_TRUE(next_event().is_null());
    EXPECT_NE(loops.take(c).find("HMSG x.y 1 "), std::string::npos);
}

TEST_F(Trace, OfAMessageThatNobodyIsToGetIsTheSameWithoutTheMessage) {
    auto& a = connect(0, "a");
    auto& c = connect(2, "c");
    for (auto* each : {&a, &c}) loops.send(*each, "SUB x 1\r\n");
    loops.send(c, "SUB x q 2\r\nUNSUB 1 1\r\n");
    publish("x", "Nats-Trace-Only: true\r\n");
    EXPECT_EQ(deliveries(next_event()), (names{{"a", 1}, {"c", 2}}));
    EXPECT_EQ(loops.take(a), "");
    EXPECT_EQ(loops.take(c), "");
    EXPECT_EQ(loops.core(2).statistics().out.messages, 0u);
    loops.send(publisher, "PUB x 0\r\n\r\n");
    EXPECT_EQ(loops.take(c), "MSG x 1 0\r\n\r\nMSG x 2 0\r\n\r\n"); // Its limit had one left.
}

TEST_F(Trace, NamesTheOneMemberOfAGroupWhereverItIs) {
    auto& b = connect(1, "b");
    auto& c = connect(2, "c");
    for (auto* each : {&b, &c}) loops.send(*each, "SUB work q 1\r\n");
    names all;
    for (int i = 0; i < 50; ++i) {
        publish("work");
        const auto one = deliveries(next_event());
        ASSERT_EQ(one.size(), 1u);
        all[one.begin()->first] += one.begin()->second;
    }
    EXPECT_EQ(all["b"] + all["c"], 50);
    EXPECT_GT(all["b"], 5);
    EXPECT_GT(all["c"], 5);
}

TEST(TraceOfOtherLoops, SaysWhyASubscriptionGotNothing) {
    test_brokers loops(broker::denying_configuration({"x.secret"}), 2);
    auto& publisher = loops.connect(traced + ",\"user\":\"all\"", 0);
    auto& denied = loops.connect(traced + ",\"user\":\"some\"", 1);
    loops.send(publisher, "SUB tr 1\r\n");
    loops.send(denied, "SUB x.* 1\r\n");
    loops.send(publisher, "HPUB x.secret 33 33\r\n" + wants_trace + "\r\n");
    EXPECT_NE(loops.take(publisher).find(
                  "\"error\":\"Not delivered because subscription denies this subject\""),
              std::string::npos);
    EXPECT_EQ(loops.take(denied), "");
}

TEST_F(Trace, FollowsAMessageThatTheLastMemberOfALoopLeftToAnother) {
    auto& b = connect(1, "b");
    auto& c = connect(2, "c");
    loops.send(b, "SUB work q 1\r\n");
    for (int i = 0; i < 20; ++i) {
        loops.send(c, "SUB work q 1\r\n");
        // Whichever loop is chosen: the member of loop 2 is gone when the message comes there.
        loops.receive(publisher, "HPUB work 33 33\r\n" + wants_trace + "\r\n");
        loops.receive(c, "UNSUB 1\r\n");
        loops.flush();
        ASSERT_EQ(deliveries(next_event()), (names{{"b", 1}}));
    }
}

TEST_F(Trace, IsPublishedAsItIsWhenTooManyWaitForOtherLoops) {
    auto& c = connect(2, "c");
    loops.send(c, "SUB x 1\r\n");
    std::string many;
    constexpr std::size_t count = 4096 + 10;
    for (std::size_t i = 0; i < count; ++i) many += "HPUB x 33 33\r\n" + wants_trace + "\r\n";
    loops.receive(publisher, many);
    loops.flush();
    for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(deliveries(next_event()), i < 10 ? names{} : (names{{"c", 1}})) << i;
    }
    EXPECT_TRUE(next_event().is_null());
}

TEST_F(Trace, IsNumberedByTheServer) {
    auto& other = connect(2, "other");
    publish("x");
    loops.send(other, "HPUB x 33 33\r\n" + wants_trace + "\r\n");
    EXPECT_EQ(next_event().at("server").at("seq"), 1);
    EXPECT_EQ(next_event().at("server").at("seq"), 2);
}

TEST_F(Trace, IsNotMadeWithTheHeaderOfOldServersAndNobodyElseMakesIt) {
    auto& a = connect(2, "a");
    loops.send(a, "SUB x 1\r\n");
    publish("x", "Nats-Trace-Origin-Account: B\r\n");
    EXPECT_TRUE(next_event().is_null());
    EXPECT_EQ(loops.take(a), "HMSG x 1 75 75\r\nNATS/1.0\r\nNats-Trace-Origin-Account: B\r\n"
                             "Nats-Trace-Dest: trace disabled\r\n\r\n\r\n");
}

/// As all of them are read for it.
TEST(TraceRequest, CostsNothingWhoAsksForNone) {
    for (const std::string headers :
         {"NATS/1.0\r\nNats-Msg-Id: a value that is not a short one\r\n"
          "A-Header-With-A-Long-Name: 1\r\nTraceparent: 00-1-2-00\r\n\r\n",
          "NATS/1.0\r\nA-Header-With-A-Long-Name: 1\r\nNats-Trace-Dest: trace disabled\r\n\r\n",
          "NATS/1.0 503\r\n\r\n", "NATS/1.0\r\nno colon\r\n"}) {
        const auto before = test::allocation_count();
        const bool is_wanted = broker::read_trace_request(headers).wanted();
        EXPECT_EQ(test::allocation_count(), before) << headers;
        EXPECT_FALSE(is_wanted) << headers;
    }
}

TEST(TraceRequest, KeepsAllHeadersOfWhoAsks) {
    const auto read = broker::read_trace_request("NATS/1.0\r\nA: 1\r\nNats-Trace-Dest:  t \r\nA: "
                                                 "2\r\nNone:\r\nNats-Trace-Only: TRUE\r\n\r\n");
    EXPECT_EQ(read.destination, "t");
    EXPECT_TRUE(read.only);
    EXPECT_FALSE(read.external);
    const std::map<std::string, std::vector<std::string>> all = {
        {"A", {"1", "2"}}, {"Nats-Trace-Dest", {"t"}}, {"Nats-Trace-Only", {"TRUE"}}};
    EXPECT_EQ(read.headers, all);
}

} // namespace
