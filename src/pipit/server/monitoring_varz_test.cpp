// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_test_support.hpp>
#include <pipit/server/monitoring.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using testing::monitored;

TEST(Varz, IsLaidOutAsNatsServersIs) {
    monitored server;
    EXPECT_EQ(server.get("/varz").body, R"({
  "server_id": "NSERVER",
  "server_name": "one",
  "version": "2.15.2",
  "pipit_version": "0.1.0",
  "proto": 1,
  "go": "none, C++20",
  "host": "127.0.0.1",
  "port": 4222,
  "max_connections": 65536,
  "ping_interval": 120000000000,
  "ping_max": 2,
  "http_host": "127.0.0.1",
  "http_port": -1,
  "http_base_path": "",
  "https_port": 0,
  "auth_timeout": 2,
  "max_control_line": 4096,
  "max_payload": 1048576,
  "max_pending": 67108864,
  "cluster": {},
  "gateway": {},
  "leaf": {},
  "mqtt": {},
  "websocket": {},
  "jetstream": {},
  "tls_timeout": 2,
  "write_deadline": 10000000000,
  "start": "2026-11-21T03:14:45Z",
  "now": "2026-11-21T04:16:48Z",
  "uptime": "1h2m3s",
  "mem": 4096,
  "cores": 2,
  "gomaxprocs": 2,
  "cpu": 0,
  "connections": 0,
  "total_connections": 0,
  "routes": 0,
  "remotes": 0,
  "leafnodes": 0,
  "in_msgs": 0,
  "in_bytes": 0,
  "in_client_msgs": 0,
  "in_client_bytes": 0,
  "out_msgs": 0,
  "out_bytes": 0,
  "out_client_msgs": 0,
  "out_client_bytes": 0,
  "slow_consumers": 0,
  "stale_connections": 0,
  "stalled_clients": 0,
  "subscriptions": 0,
  "http_req_stats": {
    "/varz": 1
  },
  "config_load_time": "2026-11-21T03:14:45Z",
  "config_digest": "",
  "feature_flags": {
    "js_ack_fc_v2": false,
    "js_api_reply_v2": false,
    "js_raft_delete_range": true,
    "js_snapshot_sources": false
  },
  "system_account": "$SYS",
  "slow_consumer_stats": {
    "clients": 0,
    "routes": 0,
    "gateways": 0,
    "leafs": 0
  },
  "stale_connection_stats": {
    "clients": 0,
    "routes": 0,
    "gateways": 0,
    "leafs": 0
  },
  "disk_io_wait_stats": {
    "waiters": 0,
    "waits": 0,
    "wait_time": 0,
    "max_wait_time": 0
  }
})");
}

TEST(Varz, AddsUpTheLoops) {
    monitored server;
    server.snapshot.loops[0].statistics.connections = 3;
    server.snapshot.loops[1].statistics.connections = 4;
    server.snapshot.loops[0].statistics.in = {.messages = 10, .bytes = 100};
    server.snapshot.loops[1].statistics.in = {.messages = 1, .bytes = 2};
    server.snapshot.loops[1].statistics.slow_consumers = 5;
    const auto body = server.get("/varz").body;
    for (const auto* line :
         {"\"connections\": 7,", "\"in_msgs\": 11,", "\"in_bytes\": 102,",
          "\"in_client_msgs\": 11,", "\"slow_consumers\": 5,", "\"clients\": 5,"}) {
        EXPECT_NE(body.find(line), std::string::npos) << line;
    }
}

TEST(Varz, ShowsWhichProxiesAreTrusted) {
    monitored server;
    server.snapshot.server.trusted_proxies.emplace();
    EXPECT_NE(server.get("/varz").body.find(",\n  \"proxies\": {}\n}"), std::string::npos);
    server.snapshot.server.trusted_proxies->push_back("UK");
    EXPECT_NE(server.get("/varz").body.find(",\n  \"proxies\": {\n    \"trusted\": [\n      {\n"
                                            "        \"key\": \"UK\"\n      }\n    ]\n  }\n}"),
              std::string::npos);
}

TEST(Varz, ShowsWhatIsConfiguredAndNothingElse) {
    monitored server;
    server.snapshot.server.tags = {"a:b"};
    server.snapshot.server.metadata = {{"k", "v"}};
    server.snapshot.server.feature_flags = {{"js_ack_fc_v2", true}, {"mine", true}};
    server.snapshot.server.write_timeout = "retry";
    server.reconfigure([](broker::configuration& configuration) {
        configuration.authorization.token = "secret";
        configuration.max_subscriptions = 9;
        configuration.identity.connect_urls = {"10.0.0.1:4222"};
        configuration.identity.name = "x<y>&z";
        configuration.auth_timeout = std::chrono::milliseconds(1500);
    });
    const auto body = server.get("/varz").body;
    for (const auto* part :
         {"\"port\": 4222,\n  \"auth_required\": true,\n  \"connect_urls\": [\n",
          "\"write_deadline\": 10000000000,\n  \"write_timeout\": \"retry\",",
          "\"js_ack_fc_v2\": true,", "\"max_connections\": 65536,\n  \"max_subscriptions\": 9,\n",
          "\"auth_timeout\": 1.5,",
          "\"tags\": [\n    \"a:b\"\n  ],\n  \"metadata\": {\n    \"k\": \"v\"\n  },\n",
          R"("server_name": "x\u003cy\u003e\u0026z")"}) {
        EXPECT_NE(body.find(part), std::string::npos) << part;
    }
    EXPECT_EQ(body.find("proxies"), std::string::npos);
    EXPECT_EQ(body.find("secret"), std::string::npos);
    EXPECT_EQ(body.find("mine"), std::string::npos);
}

} // namespace
} // namespace pipit::server
