// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/permissions.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/server/detail/system_test_support.hpp>

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace pipit::server {
namespace {

using testing::system_world;

const std::string server_object =
    R"({"server":{"name":"one","host":"127.0.0.1","id":"NSERVER","ver":"2.15.2","tags":["az:1"],)"
    R"("feature_flags":{"js_ack_fc_v2":false,"js_api_reply_v2":false,"js_raft_delete_range":true,)"
    R"("js_snapshot_sources":false},"jetstream":false,"flags":0,"seq":1,)"
    R"("time":"2026-11-21T04:16:48Z"})";

TEST(SystemRequests, AnswerWithTheServerAndADocument) {
    system_world world;
    EXPECT_EQ(world.ask("HEALTHZ"),
              server_object + R"(,"data":{"status":"ok","status_code":200}})");
    EXPECT_EQ(world.ask("IDZ"), R"({"name":"one","host":"127.0.0.1","id":"NSERVER"})");
}

TEST(SystemRequests, TakeOptionsAsJson) {
    system_world world;
    world.monitored.snapshot.loops[0].sessions = {testing::open_session(1),
                                                  testing::open_session(2)};
    const auto page = world.ask("CONNZ", R"({"limit":1,"offset":1,"auth":true})");
    EXPECT_NE(page.find(R"("num_connections":1,"total":2,"offset":1,"limit":1)"), page.npos);
    EXPECT_NE(page.find(R"("cid":2,)"), page.npos);
    EXPECT_NE(page.find(R"("name_tag":"$G")"), page.npos);
    world.ask("CONNZ", R"({"state":1})");
    EXPECT_EQ(world.monitored.asked.back().sessions->state, broker::session_state::closed);
}

TEST(SystemRequests, SayWhatIsWrong) {
    system_world world;
    EXPECT_EQ(
        world.ask("CONNZ", R"({"sort":"x"})"),
        server_object +
            R"(,"data":null,"error":{"code":500,"description":"invalid sorting option: x"}})");
    for (const auto* const body : {R"({"limit":"x"})", R"({"cid":-1})"}) {
        EXPECT_NE(world.ask("CONNZ", body).find(R"("error":{"code":400)"), std::string::npos)
            << body;
    }
    EXPECT_NE(world.ask("VARZ", "nonsense").find(R"("error":{"code":400)"), std::string::npos);
    EXPECT_NE(world.ask("VARZ", "[]").find(R"("error":{"code":400)"), std::string::npos);
    EXPECT_NE(world.ask("VARZ", "null").find(R"("data":{)"), std::string::npos);
    EXPECT_EQ(world.ask("CONNS", "nonsense", "A"), "");
    world.monitored.answers = false;
    EXPECT_NE(world.ask("VARZ").find(R"("error":{"code":500)"), std::string::npos);
}

TEST(SystemRequests, AreSilentWhenAnotherServerIsMeant) {
    system_world world;
    for (const auto* const other :
         {R"({"server_name":"two"})", R"({"host":"127","exact_match":true})", R"({"cluster":"c"})",
          R"({"tags":["az:1","b"]})", R"({"domain":"d"})"}) {
        EXPECT_EQ(world.ask("VARZ", other), "") << other;
    }
    for (const auto* const meant :
         {R"({"server_name":"on"})", R"({"host":"127.0.0.1","exact_match":true})",
          R"({"tags":["AZ:1"]})", "{}"}) {
        EXPECT_NE(world.ask("VARZ", meant), "") << meant;
    }
}

TEST(SystemRequests, ReadNamesInAnyCaseAndTheLastOfSeveral) {
    system_world world;
    EXPECT_EQ(world.ask("VARZ", R"({"SERVER_NAME":"two"})"), "");
    EXPECT_NE(world.ask("VARZ", R"({"server_name":"two","Server_Name":"one"})"), "");
    EXPECT_EQ(world.ask("VARZ", R"({"server_name":"two","Server_Name":null})"), "");
    world.ask("KICK", R"({"Cid":8})");
    EXPECT_EQ(world.kicked, 8u);
}

TEST(SystemRequests, AreSilentWhereNobodyLeads) {
    system_world world;
    EXPECT_EQ(world.ask("JSZ", R"({"leader_only":true})"), "");
    EXPECT_NE(world.ask("JSZ", R"({"leader_only":false})"), "");
    EXPECT_NE(world.ask("JSZ", R"({"leader_only":true})", "A").find("jetstream not enabled"),
              std::string::npos);
}

TEST(SystemRequests, ShowNoConnectionInAStateThatIsNone) {
    system_world world;
    world.monitored.snapshot.loops[0].sessions = {testing::open_session(1)};
    for (const auto* const state : {"7", "-1"}) {
        const auto answer = world.ask("CONNZ", "{\"state\":" + std::string(state) + '}');
        EXPECT_NE(answer.find(R"("num_connections":0,"total":0,)"), std::string::npos) << answer;
        EXPECT_NE(answer.find(R"("connections":[])"), std::string::npos) << answer;
    }
}

TEST(SystemRequests, ClampServicesAboutAnAccountToIt) {
    system_world world;
    world.monitored.snapshot.loops[0].sessions = {testing::open_session(1),
                                                  testing::open_session(2, testing::account_a_id)};
    const auto page = world.ask("CONNZ", R"({"acc":"$G"})", "A");
    EXPECT_NE(page.find(R"("cid":2,)"), page.npos);
    EXPECT_EQ(page.find(R"("cid":1,)"), page.npos);
    EXPECT_NE(world.ask("INFO", "", "A").find(R"("account_name":"A")"), std::string::npos);
    EXPECT_NE(world.ask("INFO", "", "NOPE").find("Account NOPE does not exist"), std::string::npos);
    EXPECT_EQ(world.ask("CONNS", "", "NOPE"), "");
}

TEST(SystemRequests, ShowSubscriptionsOfConnectionsOfOneAccount) {
    system_world world;
    auto session = testing::open_session(2, testing::account_a_id);
    session.subscription_count = 1;
    auto& loop = world.monitored.snapshot.loops[0];
    loop.sessions = {session};
    loop.subscriptions.page = {{testing::account_a_id, "foo", "", "1", 2, 0, 0}};
    EXPECT_NE(world.ask("CONNZ", R"({"subscriptions":true})", "A")
                  .find(R"("subscriptions_list":["foo"])"),
              std::string::npos);
    EXPECT_EQ(world.ask("CONNZ", "{}", "A").find("subscriptions_list"), std::string::npos);
}

TEST(SystemRequests, FindConnectionsByASubjectOfTheirSubscriptions) {
    system_world world;
    auto& loop = world.monitored.snapshot.loops[0];
    for (const std::uint64_t id : {1, 2, 3}) {
        auto session = testing::open_session(id, testing::account_a_id);
        session.subscription_count = id == 3 ? 0 : 1;
        loop.sessions.push_back(session);
    }
    loop.subscriptions.page = {{testing::account_a_id, "foo.*", "", "1", 1, 0, 0},
                               {testing::account_a_id, "bar", "", "1", 2, 0, 0}};
    const auto shown = [&](std::string_view subject) {
        const auto body = R"({"acc":"A","filter_subject":")" + std::string(subject) + "\"}";
        const auto answer = world.ask("CONNZ", body);
        std::string ids;
        for (const auto* const id : {"1", "2", "3"}) {
            if (answer.find("\"cid\":" + std::string(id) + ",") != answer.npos) ids += id;
        }
        return ids;
    };
    EXPECT_EQ(shown("foo.x"), "1");
    EXPECT_EQ(shown("*.x"), "1");
    EXPECT_EQ(shown("bar"), "2");
    EXPECT_EQ(shown("nobody"), "");
    EXPECT_EQ(shown(">"), "123");
    EXPECT_NE(world.ask("CONNZ", R"({"filter_subject":"foo"})")
                  .find("filter by subject only valid with account filtering"),
              std::string::npos);
}

TEST(SystemRequests, FindConnectionsByASubjectHoweverManyOfBothThereAre) {
    system_world world;
    auto& loop = world.monitored.snapshot.loops[0];
    for (std::uint64_t id = 1; id <= 600; ++id) {
        auto session = testing::open_session(id, testing::account_a_id);
        session.subscription_count = 1;
        if (id == 1) session.stop = testing::moment_at();
        loop.sessions.push_back(session);
    }
    constexpr auto most = limits::shown_subscriptions;
    loop.subscriptions.total = most + 1;
    world.ask("CONNZ", R"({"acc":"A","filter_subject":"foo"})");
    using parts = std::vector<std::pair<std::size_t, std::uint64_t>>;
    parts asked; // Of how many connections, and from which subscription on.
    for (const auto& each : world.monitored.asked) {
        if (!each.subscriptions) continue;
        asked.emplace_back(each.subscriptions->client_ids.size(), each.subscriptions->offset);
    }
    EXPECT_EQ(asked, (parts{{511, 0}, {511, most}, {88, 0}, {88, most}}));
}

TEST(SystemRequests, CountConnectionsOfOneAccountWithoutALookAtTheOthers) {
    system_world world;
    world.monitored.snapshot.loops[0].accounts = {
        {.id = testing::account_a_id, .connections = 2, .total_connections = 3}};
    const auto answer = world.ask("CONNS", "", "A");
    EXPECT_NE(answer.find(R"("acc":"A","name":"A","conns":2,)"), std::string::npos) << answer;
    EXPECT_TRUE(world.monitored.asked.empty());
    for (const auto* const about_it :
         {R"({"server_name":"two","acc":"A"})", R"({"server_name":5})", R"({"acc":null})"}) {
        EXPECT_EQ(world.ask("CONNS", about_it, "A"), answer) << about_it;
    }
    for (const auto* const of_another : {R"({"acc":"B"})", R"({"acc":""})", R"({"acc":5})"}) {
        EXPECT_EQ(world.ask("CONNS", of_another, "A"), "") << of_another;
    }
    world.monitored.call_account_a("Acme");
    EXPECT_NE(world.ask("CONNS", "", "A").find(R"("acc":"A","name":"Acme",)"), std::string::npos);
}

TEST(SystemRequests, CompressForWhoAcceptsIt) {
    system_world world;
    const auto answer = world.requests().answer(
        {.service = "VARZ", .headers = "NATS/1.0\r\nAccept-Encoding: GZIP\r\n\r\n"});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->headers, "NATS/1.0\r\nContent-Encoding: gzip\r\n\r\n");
    EXPECT_TRUE(answer->body.starts_with("\x1f\x8b"));
}

TEST(SystemRequests, TellAClientWhatItMay) {
    system_world world;
    auth::permission_lists lists;
    lists.publish_allow = {"a", "b.*"};
    lists.subscribe_deny = {"c q"};
    lists.allow_responses = auth::response_permission{3, std::chrono::seconds(5)};
    world.user = broker::user_information{.user = "u",
                                          .account = "A",
                                          .account_name = "A",
                                          .user_name = "",
                                          .permissions = *auth::permissions::make(lists),
                                          .expires = testing::at(std::chrono::seconds(1))};
    EXPECT_EQ(world.ask("USER.INFO"),
              server_object +
                  R"(,"data":{"user":"u","account":"A","account_name":"A","permissions":)"
                  R"({"publish":{"allow":["a","b.*"]},"subscribe":{"deny":["c q"]},)"
                  R"("responses":{"max":3,"ttl":5000000000}},"expires":1000000000}})");
    EXPECT_NE(world.ask("USER.INFO", "who am I?").find(R"("user":"u")"), std::string::npos);
    world.user.reset();
    EXPECT_NE(world.ask("USER.INFO").find(R"("error":{"code":400})"), std::string::npos);
}

TEST(SystemRequests, ObeyCommandsAndSayWhyNot) {
    system_world world;
    EXPECT_EQ(world.ask("KICK", R"({"cid":7})"), server_object + "}");
    EXPECT_EQ(world.kicked, 7u);
    world.refusal = "no such client id";
    EXPECT_NE(world.ask("LDM", R"({"cid":7})").find(R"("description":"no such client id")"),
              std::string::npos);
    EXPECT_NE(world.ask("RELOAD").find(R"("code":500)"), std::string::npos);
    for (const auto* const body : {"nonsense", "", R"({"cid":-1})", R"({"cid":"7"})"}) {
        EXPECT_EQ(world.ask("KICK", body), "") << body;
    }
}

TEST(SystemRequests, SayWhichServerIsMeantInAWayThatCannotBeRead) {
    system_world world;
    for (const auto* const service : {"KICK", "LDM", "CONNZ", "VARZ"}) {
        const auto answer = world.ask(service, R"({"cid":7,"server_name":5})");
        EXPECT_NE(answer.find(R"("error":{"code":400)"), std::string::npos) << answer;
    }
    EXPECT_EQ(world.kicked, 0u);
    EXPECT_EQ(world.ask("KICK", R"({"cid":"7","tags":5})"), "");
}

} // namespace
} // namespace pipit::server
