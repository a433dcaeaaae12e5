// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/weighted_mapping.hpp>
#include <pipit/server/detail/monitoring_test_support.hpp>
#include <pipit/server/monitoring.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using testing::account_a_id;
using testing::monitored;

TEST(Accountz, ListsTheAccounts) {
    monitored server;
    EXPECT_EQ(server.get("/accountz").body, R"({
  "server_id": "NSERVER",
  "now": "2026-11-21T04:16:48Z",
  "system_account": "$SYS",
  "accounts": [
    "$G",
    "A",
    "$SYS"
  ]
})");
}

TEST(Accountz, ShowsOneAccount) {
    monitored server;
    for (auto& loop : server.snapshot.loops) {
        auto& account = loop.accounts.emplace_back();
        account.id = account_a_id;
        account.connections = 1;
        account.subscriptions = 3;
    }
    EXPECT_EQ(server.get("/accountz?acc=A").body, R"({
  "server_id": "NSERVER",
  "now": "2026-11-21T04:16:48Z",
  "system_account": "$SYS",
  "account_detail": {
    "account_name": "A",
    "update_time": "2026-11-21T03:14:45Z",
    "expired": false,
    "complete": true,
    "jetstream_enabled": false,
    "leafnode_connections": 0,
    "client_connections": 2,
    "subscriptions": 6,
    "name_tag": "A",
    "sublist_stats": {
      "num_subscriptions": 6,
      "num_cache": 0,
      "num_inserts": 0,
      "num_removes": 0,
      "num_matches": 0,
      "cache_hit_rate": 0,
      "max_fanout": 0,
      "avg_fanout": 0
    }
  }
})");
}

TEST(Accountz, ShowsMappingsAsTheServerDrawsThem) {
    monitored server;
    server.reconfigure([](broker::configuration& configuration) {
        for (const auto& [source, destinations] :
             {std::pair("w.x", std::vector<protocol::mapping_destination>{{"a.b", 30, ""},
                                                                          {"c.d", 60, ""}}),
              std::pair("m.*", std::vector<protocol::mapping_destination>{{"mm.$1", 100, ""}})}) {
            const auto mapping = protocol::weighted_mapping::make(source, destinations);
            configuration.accounts[1].mappings.push_back(
                std::make_shared<const protocol::weighted_mapping>(mapping.value()));
        }
    });
    // What a real server shows for the same configuration.
    EXPECT_NE(server.get("/accountz?acc=A").body.find(R"(
    "mappings": {
      "m.*": [
        {
          "subject": "mm.$1",
          "weight": 100
        }
      ],
      "w.x": [
        {
          "subject": "w.x",
          "weight": 10
        },
        {
          "subject": "a.b",
          "weight": 40
        },
        {
          "subject": "c.d",
          "weight": 100
        }
      ]
    },
    "name_tag": "A",
)"),
              std::string::npos);
}

TEST(Accountz, ShowsWhatIsExportedImportedAndAwaited) {
    monitored server;
    server.reconfigure([](broker::configuration& configuration) {
        auto& account = configuration.accounts[1];
        account.service_exports = {{.subject = "svc", .latency = broker::service_latency{"lat", 0}},
                                   {.subject = "many",
                                    .audience = {.accounts = {configuration.global_account}},
                                    .response = broker::response_type::stream}};
        account.stream_exports = {{"st.>", {.activation_required = true}}};
        for (const auto& problem :
             {add_import(configuration.accounts, configuration.global_account,
                         broker::stream_import{
                             account_a_id, broker::import_subjects::make("st.>", "p.st.>").value()},
                         broker::activation::valid),
              add_import(configuration.accounts, configuration.global_account,
                         broker::service_import{account_a_id,
                                                broker::import_subjects::make("svc", "ask").value(),
                                                true})}) {
            EXPECT_EQ(problem, "");
        }
    });
    server.snapshot.loops[0].accounts.emplace_back().id = account_a_id;
    server.snapshot.loops[0].responses = {{.subject = "_R_.a.b", .reply = "inbox"}};
    const auto exporter = server.get("/accountz?acc=A").body;
    EXPECT_EQ(server.asked.back().responses_of, "A");
    EXPECT_NE(exporter.find(R"(
    "exports": [
      {
        "subject": "svc",
        "type": "service",
        "response_type": "Singleton",
        "service_latency": {
          "sampling": "headers",
          "results": "lat"
        }
      },
      {
        "subject": "many",
        "type": "service",
        "response_type": "Streamed",
        "approved_accounts": [
          "$G"
        ]
      },
      {
        "subject": "st.\u003e",
        "type": "stream",
        "token_req": true
      }
    ],
)"),
              std::string::npos)
        << exporter;
    EXPECT_NE(exporter.find(R"(
    "responses": {
      "_R_.a.b": {
        "subject": "inbox",
)"),
              std::string::npos)
        << exporter;
    const auto importer = server.get("/accountz?acc=$G").body;
    EXPECT_NE(importer.find(R"(
    "imports": [
      {
        "subject": "st.\u003e",
        "account": "A",
        "local_subject": "p.st.\u003e",
        "type": "stream",
        "invalid": false,
        "share": false,
        "tracking": false
      },
      {
        "subject": "svc",
        "account": "A",
        "to": "ask",
        "local_subject": "ask",
        "type": "service",
        "invalid": false,
        "share": true,
        "tracking": false,
        "latency": {
          "sampling": "headers",
          "results": "lat"
        }
      }
    ],
)"),
              std::string::npos)
        << importer;
}

TEST(Accountz, SaysWhichIsTheSystemAccount) {
    monitored server;
    EXPECT_NE(server.get("/accountz?acc=$SYS").body.find("\"is_system\": true,"),
              std::string::npos);
}

TEST(Accountz, RefusesAnUnknownAccount) {
    monitored server;
    const auto answer = server.get("/accountz?acc=NOPE");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.body, "Account NOPE does not exist");
}

TEST(Accstatz, ShowsAccountsThatAreInUse) {
    monitored server;
    auto& account = server.snapshot.loops[0].accounts.emplace_back();
    account.id = account_a_id;
    account.connections = 1;
    account.total_connections = 2;
    account.subscriptions = 18;
    account.sent = {.messages = 14, .bytes = 2625};
    account.received = {.messages = 6, .bytes = 157};
    account.slow_consumers = 1;
    EXPECT_EQ(server.get("/accstatz").body, R"({
  "server_id": "NSERVER",
  "now": "2026-11-21T04:16:48Z",
  "account_statz": [
    {
      "acc": "A",
      "name": "A",
      "conns": 1,
      "leafnodes": 0,
      "total_conns": 1,
      "num_subscriptions": 18,
      "sent": {
        "msgs": 14,
        "bytes": 2625,
        "gateways": {
          "msgs": 0,
          "bytes": 0
        },
        "routes": {
          "msgs": 0,
          "bytes": 0
        },
        "leafs": {
          "msgs": 0,
          "bytes": 0
        }
      },
      "received": {
        "msgs": 6,
        "bytes": 157,
        "gateways": {
          "msgs": 0,
          "bytes": 0
        },
        "routes": {
          "msgs": 0,
          "bytes": 0
        },
        "leafs": {
          "msgs": 0,
          "bytes": 0
        }
      },
      "slow_consumers": 1
    }
  ]
})");
}

TEST(Accstatz, CallsAnAccountAsItsJwtDoes) {
    monitored server;
    server.call_account_a("Acme");
    const auto all = server.get("/accstatz?unused=true").body;
    EXPECT_NE(all.find("\"acc\": \"A\",\n      \"name\": \"Acme\""), std::string::npos) << all;
    EXPECT_NE(all.find("\"acc\": \"$SYS\",\n      \"name\": \"$SYS\""), std::string::npos);
}

TEST(Accstatz, ShowsUnusedAccountsWhenAsked) {
    monitored server;
    EXPECT_NE(server.get("/accstatz").body.find("\"account_statz\": []"), std::string::npos);
    const auto all = server.get("/accstatz?unused=true").body;
    for (const auto* name : {"\"acc\": \"$G\"", "\"acc\": \"A\"", "\"acc\": \"$SYS\""}) {
        EXPECT_NE(all.find(name), std::string::npos) << name;
    }
}

} // namespace
} // namespace pipit::server
