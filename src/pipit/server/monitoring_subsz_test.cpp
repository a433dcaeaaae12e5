// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_documents.hpp>
#include <pipit/server/detail/monitoring_test_support.hpp>
#include <pipit/server/monitoring.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using testing::account_a_id;
using testing::monitored;

/// The subjects shown, in order, as `a,b`.
std::string subjects_of(const std::string& body) {
    std::string subjects;
    constexpr std::string_view key = "\"subject\": \"";
    for (auto found = body.find(key); found != std::string::npos;
         found = body.find(key, found + 1)) {
        const auto begin = found + key.size();
        if (!subjects.empty()) subjects += ',';
        subjects += body.substr(begin, body.find('"', begin) - begin);
    }
    return subjects;
}

/// Subscriptions to a, b, c on the first loop and to d, e on the second.
monitored server_with_subscriptions() {
    monitored server;
    for (const auto* subject : {"a", "b", "c"}) {
        server.snapshot.loops[0].subscriptions.page.push_back(
            {account_a_id, subject, "", "1", 7, 2, 0});
    }
    for (const auto* subject : {"d", "e"}) {
        server.snapshot.loops[1].subscriptions.page.push_back(
            {account_a_id, subject, "q", "2", 8, 0, 4});
    }
    server.snapshot.loops[0].subscriptions.total = 3;
    server.snapshot.loops[1].subscriptions.total = 2;
    return server;
}

TEST(Subsz, IsLaidOutAsNatsServersIs) {
    monitored server;
    auto& first = server.snapshot.loops[0].statistics;
    auto& second = server.snapshot.loops[1].statistics;
    first.subscriptions = 2, second.subscriptions = 1;
    first.cache_entries = 4, first.cached_fanout = 6, first.max_fanout = 3;
    second.matches = 8, second.cache_hits = 2, second.max_fanout = 2;
    first.subscription_inserts = 5, second.subscription_removes = 2;
    EXPECT_EQ(server.get("/subscriptionsz").body, R"({
  "server_id": "NSERVER",
  "now": "2026-11-21T04:16:48Z",
  "num_subscriptions": 3,
  "num_cache": 4,
  "num_inserts": 5,
  "num_removes": 2,
  "num_matches": 8,
  "cache_hit_rate": 0.25,
  "max_fanout": 3,
  "avg_fanout": 1.5,
  "total": 0,
  "offset": 0,
  "limit": 1024
})");
    EXPECT_FALSE(server.asked.back().subscriptions);
}

TEST(Subsz, ListsSubscriptionsWithTheirAccount) {
    auto server = server_with_subscriptions();
    server.snapshot.loops[0].subscriptions.page.clear();
    server.snapshot.loops[1].subscriptions.page.resize(1);
    const auto body = server.get("/subsz?subs=1&offset=3&limit=1").body;
    EXPECT_NE(body.find(R"("total": 5,
  "offset": 3,
  "limit": 1,
  "subscriptions_list": [
    {
      "account": "A",
      "account_tag": "A",
      "subject": "d",
      "qgroup": "q",
      "sid": "2",
      "msgs": 0,
      "max": 4,
      "cid": 8
    }
  ]
})"),
              std::string::npos);
}

TEST(Subsz, ShowsWhatAllLoopsHaveOfThePage) {
    auto server = server_with_subscriptions();
    EXPECT_EQ(subjects_of(server.get("/subsz?subs=1").body), "a,b,c,d,e");
    for (auto& loop : server.snapshot.loops) loop.subscriptions.page.clear();
    const auto behind = server.get("/subsz?subs=1&offset=5").body;
    EXPECT_EQ(behind.find("subscriptions_list"), std::string::npos);
}

TEST(Subsz, NamesTheAccountOfEach) {
    auto server = server_with_subscriptions();
    auto& page = server.snapshot.loops[0].subscriptions.page;
    page[1].account = testing::global_id;
    page[2].account = broker::account_id{99}; // Gone with a reload.
    const auto body = server.get("/subsz?subs=1").body;
    std::string accounts;
    const std::string key = "\"account\": \"";
    for (auto at = body.find(key); at != body.npos; at = body.find(key, at + 1)) {
        const auto begin = at + key.size();
        accounts += body.substr(begin, body.find('"', begin) - begin) + ',';
    }
    EXPECT_EQ(accounts, "A,$G,A,A,");
}

TEST(Subsz, AsksForThePageAlone) {
    auto server = server_with_subscriptions();
    static_cast<void>(server.get("/subsz?subs=1&offset=2&limit=3&test=foo.bar&acc=A"));
    const auto& asked = *server.asked.back().subscriptions;
    EXPECT_EQ(asked.offset, 2u);
    EXPECT_EQ(asked.limit, 3u);
    EXPECT_EQ(asked.test, "foo.bar");
    EXPECT_EQ(asked.account, account_a_id);
}

TEST(PartsOfPage, BeginInOneListAndEndInAnother) {
    const auto parts = [](page_part page) {
        const std::vector<std::uint64_t> totals{3, 0, 2};
        std::vector<std::pair<std::uint64_t, std::uint64_t>> shown;
        for (const auto& each : parts_of_page(totals, page)) {
            shown.emplace_back(each.offset, each.limit);
        }
        return shown;
    };
    using list = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
    EXPECT_EQ(parts({0, 100}), (list{{0, 3}, {0, 0}, {0, 2}}));
    EXPECT_EQ(parts({2, 2}), (list{{2, 1}, {0, 0}, {0, 1}}));
    EXPECT_EQ(parts({4, 2}), (list{{3, 0}, {0, 0}, {1, 1}}));
    EXPECT_EQ(parts({9, 2}), (list{{3, 0}, {0, 0}, {2, 0}}));
}

TEST(Subsz, KnowsTheNumberOfOneAccountsSubscriptions) {
    monitored server;
    auto& account = server.snapshot.loops[1].accounts.emplace_back();
    account.id = account_a_id;
    account.subscriptions = 6;
    server.snapshot.loops[1].statistics.subscriptions = 9;
    const auto of_a = server.get("/subsz?acc=A").body;
    EXPECT_NE(of_a.find("\"num_subscriptions\": 6,"), std::string::npos);
    const auto of_nobody = server.get("/subsz?subs=1&acc=NOPE").body;
    EXPECT_NE(of_nobody.find("\"num_subscriptions\": 0,"), std::string::npos);
    EXPECT_FALSE(server.asked.back().subscriptions);
}

TEST(Subsz, TestsOnlyLiteralSubjects) {
    monitored server;
    for (const std::string subject : {"a..b", "a.*"}) {
        const auto answer = server.get("/subsz?test=" + subject);
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(answer.body, "invalid test subject, must be valid publish subject: " + subject);
    }
}

} // namespace
} // namespace pipit::server
