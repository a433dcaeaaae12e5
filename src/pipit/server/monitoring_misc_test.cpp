// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_test_support.hpp>
#include <pipit/server/monitoring.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using testing::monitored;

TEST(Monitoring, HasNoRoutesLeafNodesAndGateways) {
    monitored server;
    const std::string head = "{\n  \"server_id\": \"NSERVER\",\n";
    const std::string now = "  \"now\": \"2026-11-21T04:16:48Z\",\n";
    EXPECT_EQ(server.get("/routez?subs=detail").body,
              head + "  \"server_name\": \"one\",\n" + now +
                  "  \"num_routes\": 0,\n  \"routes\": []\n}");
    EXPECT_EQ(server.get("/leafz?acc=A").body,
              head + now + "  \"leafnodes\": 0,\n  \"leafs\": []\n}");
    EXPECT_EQ(server.get("/gatewayz?gw_name=x").body,
              head + now + "  \"outbound_gateways\": {},\n  \"inbound_gateways\": {}\n}");
}

TEST(Monitoring, SaysThatJetStreamIsDisabled) {
    monitored server;
    EXPECT_EQ(server.get("/jsz?acc=NOPE").body, R"({
  "memory": 0,
  "storage": 0,
  "reserved_memory": 0,
  "reserved_storage": 0,
  "accounts": 0,
  "ha_assets": 0,
  "api": {
    "level": 0,
    "total": 0,
    "errors": 0
  },
  "server_id": "NSERVER",
  "now": "2026-11-21T04:16:48Z",
  "disabled": true,
  "config": {
    "max_memory": 0,
    "max_storage": 0
  },
  "streams": 0,
  "consumers": 0,
  "messages": 0,
  "bytes": 0,
  "total": 0
})");
    const auto leader = server.get("/jsz?leader-only=1");
    EXPECT_EQ(leader.status, 400);
    EXPECT_EQ(leader.body, "filtered response: not leader");
}

TEST(Monitoring, HasNoRaftGroupsAndNothingInQueues) {
    monitored server;
    const auto raft = server.get("/raftz");
    EXPECT_EQ(raft.status, 404);
    EXPECT_EQ(raft.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(raft.body, "No Raft nodes registered");
    EXPECT_EQ(server.get("/ipqueuesz").body, "{}");
    EXPECT_EQ(server.get("/ipqueuesz?all=1&queues=recvQ").body,
              "{\n   \"System recvQ\": {\n      \"pending\": 0\n   },\n"
              "   \"System recvQ Pings\": {\n      \"pending\": 0\n   }\n}");
}

TEST(Monitoring, RefusesWhatItCannotReadEverywhere) {
    monitored server;
    for (const auto* target :
         {"/routez?subs=2", "/leafz?subs=detail", "/gatewayz?accs=2", "/gatewayz?subs=2",
          "/ipqueuesz?all=2", "/jsz?limit=x", "/jsz?raft=2", "/accstatz?unused=2"}) {
        EXPECT_EQ(server.get(target).status, 400) << target;
    }
}

TEST(Monitoring, ShowsTheCommandLineWithoutItsSecrets) {
    monitored server;
    server.snapshot.server.command_line = {"pipit-server",
                                           "--pass",
                                           "s3cret",
                                           "-auth=s3cret",
                                           "--routes",
                                           "nats://u:s3cret@h:1",
                                           "--routes=nats://u:s3://cret@h:1"};
    const auto answer = server.get("/debug/vars");
    EXPECT_EQ(answer.content_type, "application/json; charset=utf-8");
    EXPECT_EQ(answer.body.find(R"({"cmdline":["pipit-server","--pass","[REDACTED]",)"
                               R"("-auth=[REDACTED]","--routes","nats://[REDACTED]@h:1",)"
                               R"("--routes=nats://[REDACTED]@h:1"],)"
                               R"("memstats":{"Alloc":4096,)"),
              0u);
}

TEST(Monitoring, ShowsThatEveryLoopAnswers) {
    monitored server;
    server.snapshot.loops[1].statistics.connections = 5;
    EXPECT_NE(server.get("/stacksz").body.find("loop 1: answers, 5 connections\n"),
              std::string::npos);
}

} // namespace
} // namespace pipit::server
