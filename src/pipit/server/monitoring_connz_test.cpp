// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_test_support.hpp>
#include <pipit/server/monitoring.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using namespace std::chrono_literals;
using testing::account_a_id;
using testing::at;
using testing::moment_at;
using testing::monitored;
using testing::open_session;

/// The connections shown, in order, as `1,2,3`.
std::string order_of(const std::string& body) {
    std::string order;
    constexpr std::string_view key = "\"cid\": ";
    for (auto at_key = body.find(key); at_key != std::string::npos;
         at_key = body.find(key, at_key + 1)) {
        if (!order.empty()) order += ',';
        order += body.substr(at_key + key.size(), body.find(',', at_key) - at_key - key.size());
    }
    return order;
}

bool contains(const std::string& body, std::string_view part) {
    return body.find(part) != std::string::npos;
}

broker::session_snapshot closed_session(std::uint64_t client_id, broker::close_reason reason,
                                        nanoseconds ago) {
    auto session = open_session(client_id);
    session.stop = moment_at(-ago);
    session.reason = reason;
    return session;
}

TEST(Connz, IsLaidOutAsNatsServersIs) {
    monitored server;
    auto session = open_session(7, account_a_id);
    session.user = "a";
    session.name = "n<1>";
    session.language = "py";
    session.version = "1.0";
    session.round_trip = 288777ns;
    session.in = {.messages = 1, .bytes = 3};
    session.stalls = 2;
    session.subscription_count = 2;
    server.snapshot.loops[1].subscriptions.page = {{account_a_id, "foo.*", "", "1", 7, 1, 0},
                                                   {account_a_id, "bar", "q", "2", 7, 0, 5}};
    server.snapshot.loops[1].sessions.push_back(session);
    EXPECT_EQ(server.get("/connz?auth=1&subs=detail").body, R"({
  "server_id": "NSERVER",
  "now": "2026-11-21T04:16:48Z",
  "num_connections": 1,
  "total": 1,
  "offset": 0,
  "limit": 1024,
  "connections": [
    {
      "cid": 7,
      "kind": "Client",
      "type": "nats",
      "ip": "127.0.0.1",
      "port": 5000,
      "start": "2026-11-21T04:15:48Z",
      "last_activity": "2026-11-21T04:16:39Z",
      "rtt": "288µs",
      "uptime": "1m0s",
      "idle": "9s",
      "pending_bytes": 0,
      "in_msgs": 1,
      "out_msgs": 0,
      "in_bytes": 3,
      "out_bytes": 0,
      "stalls": 2,
      "subscriptions": 2,
      "name": "n\u003c1\u003e",
      "lang": "py",
      "version": "1.0",
      "authorized_user": "a",
      "account": "A",
      "subscriptions_list_detail": [
        {
          "subject": "foo.*",
          "sid": "1",
          "msgs": 1,
          "cid": 7
        },
        {
          "subject": "bar",
          "qgroup": "q",
          "sid": "2",
          "msgs": 0,
          "max": 5,
          "cid": 7
        }
      ],
      "name_tag": "A"
    }
  ]
})");
}

TEST(Connz, ShowsWhoSomebodyIsOnlyWhenAsked) {
    monitored server;
    auto session = open_session(7, account_a_id);
    session.user = "a";
    server.snapshot.loops[0].sessions = {session, open_session(8)};
    const auto without = server.get("/connz").body;
    for (const auto* key : {"authorized_user", "\"account\"", "name_tag"}) {
        EXPECT_FALSE(contains(without, key)) << key;
    }
    const auto with = server.get("/connz?auth=1").body;
    EXPECT_TRUE(contains(with, "\"authorized_user\": \"a\",\n      \"account\": \"A\""));
    EXPECT_TRUE(contains(with, "\"name_tag\": \"$G\""));
    EXPECT_FALSE(contains(with, "\"account\": \"$G\""));
}

TEST(Connz, ListsSubjectsOnlyWhenAskedAndOnlyThoseOfThePage) {
    monitored server;
    auto session = open_session(7), other = open_session(9);
    session.subscription_count = other.subscription_count = 1;
    server.snapshot.loops[0].sessions = {session, other, open_session(8)};
    server.snapshot.loops[0].subscriptions.page = {{account_a_id, "foo", "", "1", 7, 1, 0}};
    EXPECT_TRUE(contains(server.get("/connz?subs=1").body,
                         "\"subscriptions_list\": [\n        \"foo\"\n      ]"));
    using ids = std::vector<std::uint64_t>;
    EXPECT_EQ(server.asked.back().subscriptions->client_ids, (ids{7, 9}));
    static_cast<void>(server.get("/connz?subs=1&limit=1"));
    EXPECT_EQ(server.asked.back().subscriptions->client_ids, (ids{7}));
    EXPECT_FALSE(contains(server.get("/connz").body, "subscriptions_list"));
    EXPECT_FALSE(server.asked.back().subscriptions);
}

TEST(Connz, ShowsSubscriptionsOfWhoIsGoneWithTheirAccountAndWithoutALimit) {
    monitored server;
    auto gone = closed_session(7, broker::close_reason::client_closed, 10s);
    gone.account = account_a_id;
    gone.subscription_count = 1;
    server.snapshot.loops[0].sessions = {gone};
    server.snapshot.loops[0].subscriptions.page = {{account_a_id, "foo", "", "1", 7, 1, 5}};
    EXPECT_TRUE(contains(server.get("/connz?state=closed&subs=detail").body, R"(
        {
          "account": "A",
          "account_tag": "A",
          "subject": "foo",
          "sid": "1",
          "msgs": 1,
          "cid": 7
        })"));
}

TEST(Connz, SaysWhyAndWhenAConnectionEnded) {
    monitored server;
    server.snapshot.loops[0].sessions = {
        closed_session(3, broker::close_reason::client_closed, 10s)};
    const auto body = server.get("/connz?state=CLOSED&auth=1").body;
    EXPECT_EQ(server.asked.back().sessions->state, broker::session_state::closed);
    EXPECT_TRUE(contains(body, "\"stop\": \"2026-11-21T04:16:38Z\",\n"
                               "      \"reason\": \"Client Closed\",\n      \"rtt\": \"0s\",\n"
                               "      \"uptime\": \"50s\""));
    EXPECT_FALSE(contains(body, "name_tag"));
}

TEST(Connz, KnowsHowLongAConnectionIsThereAfterTheClockWasSet) {
    for (const nanoseconds set_by : {nanoseconds(-72h), nanoseconds(490'000h)}) {
        monitored server;
        server.snapshot.loops[0].sessions = {
            open_session(1), closed_session(2, broker::close_reason::client_closed, 10s)};
        for (auto& session : server.snapshot.loops[0].sessions) {
            session.start.wall -= set_by;
            session.last_activity.wall -= set_by;
        }
        const auto body = server.get("/connz?state=any").body;
        EXPECT_TRUE(contains(body, "\"uptime\": \"1m0s\",\n      \"idle\": \"9s\"")) << body;
        EXPECT_TRUE(contains(body, "\"last_activity\": \"2026-11-21T04:16:39Z\"")) << body;
        EXPECT_TRUE(contains(body, "\"uptime\": \"50s\"")) << body;
    }
}

TEST(Connz, SortsByWhatIsAsked) {
    monitored server;
    auto first = open_session(1), second = open_session(2), third = open_session(3);
    second.in = {.messages = 9, .bytes = 1};
    third.out = {.messages = 9, .bytes = 9};
    third.round_trip = 5us;
    first.pending_bytes = 5;
    second.subscription_count = 8;
    third.last_activity = moment_at();
    first.start = moment_at(-1s);
    server.snapshot.loops[0].sessions = {third, first};
    server.snapshot.loops[1].sessions = {second};
    const auto order = [&](const std::string& sort) {
        return order_of(server.get("/connz?sort=" + sort).body);
    };
    EXPECT_EQ(order(""), "1,2,3");
    EXPECT_EQ(order("cid"), "1,2,3");
    EXPECT_EQ(order("start"), "1,2,3");
    EXPECT_EQ(order("subs"), "2,1,3");
    EXPECT_EQ(order("pending"), "1,2,3");
    EXPECT_EQ(order("msgs_to"), "3,1,2");
    EXPECT_EQ(order("msgs_from"), "2,1,3");
    EXPECT_EQ(order("bytes_to"), "3,1,2");
    EXPECT_EQ(order("bytes_from"), "2,1,3");
    EXPECT_EQ(order("last"), "3,1,2");
    EXPECT_EQ(order("idle"), "1,2,3");
    EXPECT_EQ(order("uptime"), "1,2,3");
    EXPECT_EQ(order("rtt"), "3,1,2");
}

TEST(Connz, SortsClosedConnectionsByTheirEnd) {
    monitored server;
    server.snapshot.loops[0].sessions = {
        closed_session(1, broker::close_reason::write_error, 30s),
        closed_session(2, broker::close_reason::client_closed, 10s)};
    EXPECT_EQ(order_of(server.get("/connz?state=closed&sort=stop").body), "2,1");
    EXPECT_EQ(order_of(server.get("/connz?state=closed&sort=reason").body), "2,1");
}

TEST(Connz, ShowsAPage) {
    monitored server;
    for (const auto client_id : {5u, 1u, 4u, 2u, 3u}) {
        server.snapshot.loops[client_id % 2].sessions.push_back(open_session(client_id));
    }
    const auto page = server.get("/connz?offset=1&limit=2").body;
    EXPECT_EQ(order_of(page), "2,3");
    EXPECT_TRUE(contains(page, "\"num_connections\": 2,\n  \"total\": 5,\n"
                               "  \"offset\": 1,\n  \"limit\": 2,"));
    EXPECT_EQ(order_of(server.get("/connz?offset=4&limit=9223372036854775807").body), "5");
    const auto behind = server.get("/connz?offset=9").body;
    EXPECT_TRUE(contains(behind, "\"connections\": []"));
    EXPECT_TRUE(contains(server.get("/connz?offset=-1&limit=-5").body,
                         "\"offset\": 0,\n  \"limit\": 1024"));
}

TEST(Connz, FindsOneConnection) {
    monitored server;
    server.snapshot.loops[0].sessions = {open_session(4)};
    server.snapshot.loops[0].statistics.connections = 6;
    const auto body = server.get("/connz?cid=4").body;
    EXPECT_EQ(server.asked.back().sessions->client_id, 4u);
    EXPECT_EQ(order_of(body), "4");
    EXPECT_TRUE(contains(body, "\"total\": 6,\n  \"offset\": 0,\n  \"limit\": 1,"));
    EXPECT_TRUE(contains(server.get("/connz?cid=77").body, "\"connections\": []"));
}

TEST(Connz, FiltersByAccountUserAndMqttClient) {
    monitored server;
    auto of_a = open_session(1, account_a_id), of_global = open_session(2);
    auto unknown = open_session(3);
    of_a.user = "a";
    unknown.authenticated = false;
    server.snapshot.loops[0].sessions = {of_a, of_global, unknown};
    const auto of_account = server.get("/connz?acc=A").body;
    EXPECT_EQ(order_of(of_account), "1");
    EXPECT_TRUE(contains(of_account, "\"total\": 1,"));
    EXPECT_EQ(order_of(server.get("/connz?acc=$G").body), "2,3");
    const auto of_user = server.get("/connz?user=a").body;
    EXPECT_EQ(order_of(of_user), "1");
    EXPECT_TRUE(contains(of_user, "\"total\": 3,"));
    EXPECT_EQ(order_of(server.get("/connz?mqtt_client=x").body), "");
    // nats-server ignores this parameter over HTTP.
    EXPECT_EQ(order_of(server.get("/connz?filter_subject=x").body), "1,2,3");
}

TEST(Connz, ShowsByWhichProxySomebodyCame) {
    monitored server;
    auto session = open_session(7, account_a_id);
    session.proxy_key = "UK";
    server.snapshot.loops[1].sessions.push_back(session);
    EXPECT_TRUE(contains(server.get("/connz").body,
                         ",\n      \"proxy\": {\n        \"key\": \"UK\"\n      }\n    }"));
}

TEST(Connz, HasNoListForAnUnknownAccount) {
    monitored server;
    EXPECT_EQ(server.get("/connz?acc=NOPE").body,
              "{\n  \"server_id\": \"\",\n  \"now\": \"2026-11-21T04:16:48Z\",\n"
              "  \"num_connections\": 0,\n  \"total\": 0,\n  \"offset\": 0,\n"
              "  \"limit\": 1024,\n  \"connections\": null\n}");
}

TEST(Connz, RefusesWhatItCannotRead) {
    monitored server;
    const std::vector<std::pair<std::string, std::string>> cases{
        {"sort=foo", "invalid sorting option: foo"},
        {"sort=stop", "sort by stop only valid on closed connections"},
        {"sort=reason&state=any", "sort by reason only valid on closed connections"},
        {"state=foo", "Error decoding state for foo"},
        {"limit=x", "Error decoding int for 'limit': strconv.Atoi: parsing \"x\": invalid syntax"},
        {"subs=foo", "Error decoding boolean for 'subs': strconv.ParseBool: parsing \"foo\": "
                     "invalid syntax"},
    };
    for (const auto& [query, text] : cases) {
        const auto answer = server.get("/connz?" + query);
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
        EXPECT_EQ(answer.body, text);
    }
    EXPECT_TRUE(server.asked.empty());
}

} // namespace
} // namespace pipit::server
