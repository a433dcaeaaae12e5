// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/service_responses.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit;
using namespace pipit::broker;
using namespace std::chrono_literals;

constexpr account_id importer{7};

service_response waiting(const std::string& subject, const std::string& reply, nanoseconds limit) {
    service_response response;
    response.subject = subject;
    response.importer = importer;
    response.reply = reply;
    auto service = std::make_shared<service_export>();
    service->response_threshold = limit;
    response.service = std::move(service);
    return response;
}

TEST(ServiceResponses, EndWhenTheirTimeHasPassed) {
    service_responses all(10);
    const steady_time begin{100s};
    all.add(waiting("_R_.1", "r", 2s), begin);
    all.add(waiting("_R_.2", "r", 1s), begin);
    EXPECT_EQ(all.next_deadline(), begin + 1s);
    EXPECT_FALSE(all.take_due(begin));
    all.renew("_R_.2", begin + 1500ms);
    EXPECT_EQ(all.take_due(begin + 2s)->subject, "_R_.1");
    EXPECT_FALSE(all.take_due(begin + 2s));
    EXPECT_EQ(all.take_due(begin + 2500ms)->subject, "_R_.2");
    EXPECT_TRUE(all.empty());
    EXPECT_EQ(all.next_deadline(), std::nullopt);
}

TEST(ServiceResponses, AreNeverMoreThanTheirBound) {
    service_responses all(2);
    for (const auto* subject : {"a", "b", "c"}) all.add(waiting(subject, "r", 1h), {});
    EXPECT_EQ(all.take_due({})->subject, "a");
    EXPECT_FALSE(all.take_due({}));
    EXPECT_EQ(all.size(), 2u);
}

TEST(ServiceResponses, OfTooManyGoThoseOfWhoHasMost) {
    service_responses all(3);
    auto seldom = waiting("s", "r", 1s);
    seldom.importer = account_id{8};
    all.add(std::move(seldom), {});
    for (const auto* subject : {"a", "b", "c", "d"}) {
        all.add(waiting(subject, "r", 1h), {});
        while (const auto given_up = all.take_due({})) EXPECT_EQ(given_up->importer, importer);
    }
    EXPECT_EQ(all.size(), 3u);
    EXPECT_NE(all.find("s"), nullptr);
}

TEST(ServiceResponses, AreFoundByWhereTheyAreWanted) {
    service_responses all(10);
    all.add(waiting("a", "inbox.1", 1s), {});
    all.add(waiting("b", "inbox.1", 1s), {});
    all.add(waiting("c", "inbox.2", 1s), {});
    EXPECT_EQ(all.waiting_for(importer, "inbox.1").size(), 2u);
    EXPECT_EQ(all.waiting_for(importer, "inbox.*").size(), 3u);
    EXPECT_TRUE(all.waiting_for(importer, "other").empty());
    EXPECT_TRUE(all.waiting_for(account_id{8}, "inbox.1").empty());
    EXPECT_TRUE(all.take("a"));
    EXPECT_FALSE(all.take("a"));
    EXPECT_EQ(all.waiting_for(importer, "inbox.1"), std::vector<std::string>{"b"});
}

} // namespace
