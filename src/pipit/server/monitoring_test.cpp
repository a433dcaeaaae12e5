// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_test_support.hpp>
#include <pipit/server/monitoring.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

using testing::monitored;

using headers = std::vector<std::pair<std::string, std::string>>;

TEST(Monitoring, AnswersDocumentsAsJsonForEverybody) {
    monitored server;
    const auto answer = server.get("/varz");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "application/json");
    EXPECT_EQ(answer.headers, (headers{{"Access-Control-Allow-Origin", "*"}}));
}

TEST(Monitoring, DoesNotKnowOtherPaths) {
    monitored server;
    for (const auto* path : {"/nope", "/VARZ", "/varz/", "/varz%2f", "/debug", "/expvarz"}) {
        const auto answer = server.get(path);
        EXPECT_EQ(answer.status, 404) << path;
        EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
        EXPECT_EQ(answer.body, "404 page not found\n");
        EXPECT_EQ(answer.headers, (headers{{"X-Content-Type-Options", "nosniff"}}));
    }
}

TEST(Monitoring, TakesEscapedPathsAndAbsoluteTargets) {
    monitored server;
    EXPECT_EQ(server.get("/%76arz").status, 200);
    EXPECT_EQ(server.get("http://host/varz?x=1").status, 200);
}

TEST(Monitoring, RefusesTargetsThatAreNone) {
    monitored server;
    const auto answer = server.get("/%zz");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.body, "400 Bad Request");
}

TEST(Monitoring, SendsUncleanPathsOn) {
    monitored server;
    const auto answer = server.get("//varz?a=1");
    EXPECT_EQ(answer.status, 307);
    EXPECT_EQ(answer.content_type, "text/html; charset=utf-8");
    EXPECT_EQ(answer.headers, (headers{{"Location", "/varz?a=1"}}));
    EXPECT_EQ(answer.body, "<a href=\"/varz?a=1\">Temporary Redirect</a>.\n\n");
    EXPECT_EQ(server.get("/a/../<x>").body, "<a href=\"/&lt;x&gt;\">Temporary Redirect</a>.\n\n");
}

TEST(Monitoring, PutsEverythingBelowTheBasePath) {
    monitored server{.base_path = "/mon/"};
    EXPECT_EQ(server.get("/varz").status, 404);
    EXPECT_EQ(server.get("/").status, 404);
    EXPECT_EQ(server.get("/mon/").status, 404);
    EXPECT_EQ(server.get("/mon/varz").status, 200);
    const auto root = server.get("/mon");
    EXPECT_EQ(root.status, 200);
    EXPECT_NE(root.body.find("href=\"./mon/varz\""), std::string::npos);
    EXPECT_NE(server.get("/mon/varz").body.find("\"/varz\": 2"), std::string::npos);
}

TEST(Monitoring, LinksToEveryDocumentFromItsRoot) {
    monitored server;
    const auto root = server.get("/");
    EXPECT_EQ(root.content_type, "text/html; charset=utf-8");
    for (const auto* path : {"varz", "jsz", "connz", "accountz", "accstatz", "subsz", "routez",
                             "leafz", "gatewayz", "raftz", "healthz", "debug/vars", "metrics"}) {
        EXPECT_NE(root.body.find("href=\"./" + std::string(path) + '"'), std::string::npos) << path;
    }
}

TEST(Monitoring, CountsRequestsByPath) {
    monitored server;
    for (const auto* path : {"/subscriptionsz", "/subsz?subs=x", "/raftz", "/nope", "/healthz"}) {
        static_cast<void>(server.get(path));
    }
    EXPECT_NE(server.get("/varz").body.find("\"http_req_stats\": {\n"
                                            "    \"/healthz\": 1,\n"
                                            "    \"/subsz\": 2,\n"
                                            "    \"/varz\": 1\n  }"),
              std::string::npos);
}

TEST(Monitoring, SaysSoWhenTheServerDoesNotAnswer) {
    monitored server{.answers = false};
    for (const auto* path :
         {"/", "/varz", "/connz", "/subsz", "/subsz?subs=1&acc=A", "/accountz", "/accstatz",
          "/routez", "/jsz", "/stacksz", "/debug/vars", "/metrics"}) {
        EXPECT_EQ(server.get(path).status, 503) << path;
    }
}

} // namespace
} // namespace pipit::server
