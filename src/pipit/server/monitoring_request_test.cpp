// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_request.hpp>

#include <gtest/gtest.h>

namespace pipit::server {
namespace {

TEST(MonitoringRequest, SplitsATarget) {
    const auto plain = parse_target("/connz?subs=1&limit=3");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->path, "/connz");
    EXPECT_EQ(plain->query, "subs=1&limit=3");
    const auto absolute = parse_target("http://host:8222/varz");
    ASSERT_TRUE(absolute);
    EXPECT_EQ(absolute->path, "/varz");
    for (const auto* pathless : {"http://host", "https://host?x=1"}) {
        ASSERT_TRUE(parse_target(pathless)) << pathless;
        EXPECT_EQ(parse_target(pathless)->path, "");
    }
    EXPECT_EQ(parse_target("http://host?x=1")->query, "x=1");
}

TEST(MonitoringRequest, RefusesWhatIsNoTarget) {
    for (const auto* target : {"", "*", "varz", "/%zz", "/%2", "/a\rb", "http://host?a\rb"}) {
        EXPECT_FALSE(parse_target(target)) << target;
    }
}

TEST(MonitoringRequest, CleansPaths) {
    EXPECT_EQ(clean_path(""), "/");
    EXPECT_EQ(clean_path("/"), "/");
    EXPECT_EQ(clean_path("//varz"), "/varz");
    EXPECT_EQ(clean_path("/./varz/"), "/varz/");
    EXPECT_EQ(clean_path("/a/../varz"), "/varz");
    EXPECT_EQ(clean_path("/../.."), "/");
    EXPECT_EQ(clean_path("mon"), "/mon");
}

TEST(MonitoringRequest, TakesTheFirstValueOfAName) {
    const parameters query("a=1&a=2&b&%63=x%20y+z");
    EXPECT_EQ(query.text("a"), "1");
    EXPECT_EQ(query.text("b"), "");
    EXPECT_EQ(query.text("c"), "x y z");
    EXPECT_EQ(query.text("d"), "");
}

TEST(MonitoringRequest, SkipsBrokenParts) {
    parameters query("auth=%zz&subs=1;auth=x&&=&limit=5");
    EXPECT_FALSE(query.flag("auth"));
    EXPECT_FALSE(query.flag("subs"));
    EXPECT_EQ(query.integer("limit"), 5);
    EXPECT_EQ(query.problem(), "");
}

TEST(MonitoringRequest, ReadsFlagsAsGoDoes) {
    for (const auto* yes : {"1", "t", "T", "true", "TRUE", "True"}) {
        EXPECT_TRUE(parameters("x=" + std::string(yes)).flag("x")) << yes;
    }
    for (const auto* no : {"", "0", "f", "F", "false", "FALSE", "False"}) {
        EXPECT_FALSE(parameters("x=" + std::string(no)).flag("x")) << no;
    }
}

TEST(MonitoringRequest, SaysWhatItCouldNotRead) {
    parameters flag("subs=foo");
    EXPECT_FALSE(flag.flag("subs"));
    EXPECT_EQ(flag.problem(), "Error decoding boolean for 'subs': strconv.ParseBool: parsing "
                              "\"foo\": invalid syntax");
    parameters number("cid=-1");
    EXPECT_EQ(number.natural("cid"), 0u);
    EXPECT_EQ(number.problem(), "Error decoding uint64 for 'cid': strconv.ParseUint: parsing "
                                "\"-1\": invalid syntax");
}

TEST(MonitoringRequest, ReadsNumbersAsGoDoes) {
    parameters good("a=-5&b=%2B5&c=18446744073709551615");
    EXPECT_EQ(good.integer("a"), -5);
    EXPECT_EQ(good.integer("b"), 5);
    EXPECT_EQ(good.natural("c"), 18446744073709551615u);
    EXPECT_EQ(good.problem(), "");
    const auto problem_of = [](std::string_view value) {
        parameters query("limit=" + std::string(value));
        static_cast<void>(query.integer("limit"));
        const auto problem = query.problem();
        return problem.substr(problem.find_last_of('"') + 1);
    };
    for (const auto* value : {"x", "0x10", "1_0", "1 ", "%2B-5", "-", "%2B", "1.0"}) {
        EXPECT_EQ(problem_of(value), ": invalid syntax") << value;
    }
    EXPECT_EQ(problem_of("99999999999999999999"), ": value out of range");
}

TEST(MonitoringRequest, KeepsTheFirstProblem) {
    parameters query("a=x&b=y");
    static_cast<void>(query.flag("a"));
    static_cast<void>(query.flag("b"));
    query.complain("late");
    EXPECT_NE(query.problem().find("'a'"), std::string::npos);
}

} // namespace
} // namespace pipit::server
