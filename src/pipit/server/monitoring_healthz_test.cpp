// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_test_support.hpp>
#include <pipit/server/monitoring.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using testing::monitored;

TEST(Healthz, IsOkForAServerThatServes) {
    monitored server;
    for (const auto* query : {"", "?details=1", "?js-enabled-only=1", "?js-server-only=true",
                              "?js-meta-only=1", "?account=A&stream=S&consumer=C"}) {
        const auto answer = server.get("/healthz" + std::string(query));
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, R"({"status":"ok"})");
    }
    EXPECT_TRUE(server.log_lines.empty());
}

TEST(Healthz, NeedsAnAccountToLookForAStream) {
    monitored server;
    const auto answer = server.get("/healthz?stream=s");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.content_type, "application/json");
    EXPECT_EQ(
        answer.body,
        R"({"status":"error","error":"\"account\" must not be empty when checking stream health"})");
    EXPECT_EQ(server.log_lines.at(0),
              R"(Healthcheck failed: "\"account\" must not be empty when checking stream health")");
}

TEST(Healthz, NeedsAStreamToLookForAConsumer) {
    monitored server;
    EXPECT_EQ(
        server.get("/healthz?consumer=c").body,
        R"({"status":"error","error":"\"stream\" must not be empty when checking consumer health"})");
}

TEST(Healthz, ListsErrorsWhenDetailsAreAskedFor) {
    monitored server;
    EXPECT_EQ(server.get("/healthz?stream=s&details=1").body,
              R"({"status":"error","errors":[{"type":"BAD_REQUEST",)"
              R"("error":"\"account\" must not be empty when checking stream health"}]})");
    EXPECT_EQ(server.log_lines.at(0), "Healthcheck failed: 1 errors");
}

TEST(Healthz, FailsUntilTheServerIsReady) {
    monitored server;
    server.snapshot.server.not_ready = "not listening";
    const auto answer = server.get("/healthz");
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body, R"({"status":"error","error":"not listening"})");
}

TEST(Healthz, FailsWhenALoopDoesNotAnswer) {
    monitored server{.answers = false};
    const auto answer = server.get("/healthz");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body.find(R"({"status":"unavailable","error":")"), 0u);
}

TEST(Healthz, RefusesWhatItCannotRead) {
    monitored server;
    for (const auto* name :
         {"js-enabled", "js-enabled-only", "js-server-only", "js-meta-only", "details"}) {
        const auto answer = server.get("/healthz?" + std::string(name) + "=x");
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(answer.body, "Error decoding boolean for '" + std::string(name) +
                                   "': strconv.ParseBool: parsing \"x\": invalid syntax");
    }
}

} // namespace
} // namespace pipit::server
