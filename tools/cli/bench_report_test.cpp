// SPDX-License-Identifier: Apache-2.0
#include <cli/bench_report.hpp>
#include <cli/measured.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit;
using namespace pipit::cli;
using namespace std::chrono_literals;

bench_figures sample() {
    bench_figures figures{.kind = "request", .subject = "a\"b", .size = 100};
    figures.clients = {{1000, 100'000, steady_time(1s), steady_time(2s)},
                       {3000, 300'000, steady_time(1500ms), steady_time(3s)}};
    return figures;
}

TEST(Bench, AddsItsClientsUp) {
    const auto all = sample().all();
    EXPECT_EQ(all.messages, 4000u);
    EXPECT_EQ(all.ended - all.began, 2s);
    EXPECT_EQ(all.messages_per_second(), 2000);
    EXPECT_EQ(bench_figures{}.all().messages_per_second(), 0);
}

TEST(Bench, FindsNoRateInOneMessage) {
    auto figures = sample();
    figures.clients = {{1, 100, steady_time(1s), steady_time(1s)}};
    EXPECT_EQ(figures.all().messages_per_second(), 0);
    EXPECT_EQ(bench_text(figures, true), "request: 0 messages per second, 0 B per second\n"
                                         "  1 messages, 100 B, in 0ns\n");
}

TEST(Bench, IsToldToPeople) {
    EXPECT_EQ(bench_text(sample(), true),
              "request: 2,000 messages per second, 195 KiB per second\n"
              "  4,000 messages, 391 KiB, in 2.00s\n"
              "  2 clients: from 1,000 to 2,000 messages per second each\n");
    auto figures = sample();
    figures.complete = false;
    figures.latency.record(1ms);
    EXPECT_NE(bench_text(figures, true).find("ended before it was done"), std::string::npos);
    EXPECT_NE(bench_text(figures, true).find("p99.9    1.00ms"), std::string::npos);
    EXPECT_NE(bench_text(figures, false).find("p99.9\t1.00ms\n"), std::string::npos);
    EXPECT_EQ(bench_text(figures, false).find("Latency"), std::string::npos);
}

TEST(Bench, IsALineOfJson) {
    EXPECT_EQ(bench_line(sample()),
              R"({"bench":"request","subject":"a\"b","clients":2,"messages":4000,"bytes":400000,)"
              R"("size":100,"seconds":2.000000000,"messages_per_second":2000.0,"complete":true,)"
              R"("client_messages_per_second":[1000.0,2000.0]})"
              "\n");
    histogram some;
    some.record(1ms);
    EXPECT_EQ(percentiles_object(some).substr(0, 46),
              R"({"count":1,"min":0.001000000,"mean":0.00100000)");
}

TEST(Bench, IsRowsForASpreadsheet) {
    EXPECT_EQ(bench_csv(sample()), "bench,client,messages,bytes,size,seconds,messages_per_second\n"
                                   "request,1,1000,100000,100,1.000000000,1000.0\n"
                                   "request,2,3000,300000,100,1.500000000,2000.0\n"
                                   "request,all,4000,400000,100,2.000000000,2000.0\n");
}

} // namespace
