// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/latency_metric.hpp>

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace {

using namespace pipit;
using namespace pipit::broker;
using namespace std::chrono_literals;

const service_latency by_header{"l", 0};

std::optional<sampling_headers> asked(std::string_view lines) {
    random_source random(1);
    return sampled(by_header, "NATS/1.0\r\n" + std::string(lines) + "\r\n\r\n", random);
}

TEST(LatencyMetric, IsMadeForTheShareThatWasAskedFor) {
    random_source random(1);
    EXPECT_TRUE(sampled({"l", 100}, {}, random));
    int count = 0;
    for (int i = 0; i < 1000; ++i) count += sampled({"l", 20}, {}, random).has_value();
    EXPECT_GT(count, 150);
    EXPECT_LT(count, 270);
    EXPECT_FALSE(sampled(by_header, {}, random));
}

TEST(LatencyMetric, IsMadeForAHeaderThatAsksForIt) {
    EXPECT_TRUE(asked("x-b3-sampled: 1"));
    EXPECT_FALSE(asked("X-B3-Sampled: 0\r\nX-B3-TraceId: 80f1"));
    EXPECT_EQ(asked("X-B3-TraceId: 80f1\r\nOther: 1")->size(), 1u);
    EXPECT_TRUE(asked("B3: 80f1-e457-1"));
    EXPECT_FALSE(asked("B3: 80f1-e457-0"));
    EXPECT_FALSE(asked("b3: 0"));
    EXPECT_TRUE(asked("Uber-Trace-Id: 479f:5adb:479f:1"));
    EXPECT_FALSE(asked("Uber-Trace-Id: 479f:5adb:479f:0"));
    EXPECT_FALSE(asked("Uber-Trace-Id: 479f"));
    EXPECT_EQ(asked("traceparent: 00-4bf9-00f0-01\r\ntracestate: a=b")->size(), 2u);
    EXPECT_FALSE(asked("traceparent: 00-4bf9-00f0-00"));
    EXPECT_FALSE(asked("Other: 1"));
}

TEST(LatencyMetric, SaysWhoWaitedForWhomAndHowLong) {
    request_measurement measured;
    measured.requestor = client_facts{.account = "B", .round_trip = 2ms};
    measured.headers = {{"B3", {"1"}}};
    measured.begun = {steady_time(10s), wall_time(100s)};
    const moment now{steady_time(11s), wall_time(101s)};
    const responder_facts responder{R"({"acc":"A"})", 10ms};
    const auto metric = boost::json::parse(
        latency_metric(measured, request_outcomes::answered, &responder, "id", now));
    EXPECT_EQ(metric.at("type"), "io.nats.server.metric.v1.service_latency");
    EXPECT_EQ(metric.at("status"), 200);
    EXPECT_EQ(metric.at("service"), nanoseconds(990ms).count());
    EXPECT_EQ(metric.at("total"), nanoseconds(1002ms).count());
    EXPECT_EQ(metric.at("start"), "1970-01-01T00:01:39.998Z");
    EXPECT_EQ(metric.at("header").at("B3").at(0), "1");
    EXPECT_EQ(metric.at("responder").at("acc"), "A");
    EXPECT_FALSE(metric.as_object().contains("description"));
}

} // namespace
