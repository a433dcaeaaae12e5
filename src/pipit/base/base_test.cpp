// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/ascii_case.hpp>
#include <pipit/base/error.hpp>
#include <pipit/base/join_host_port.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/nearest_name.hpp>
#include <pipit/base/random.hpp>
#include <pipit/base/trimmed.hpp>
#include <pipit/base/url_user.hpp>

#include <gtest/gtest.h>

namespace {

pipit::error refused() {
    return {make_error_code(boost::system::errc::permission_denied), "subject \"a.b\""};
}

TEST(Error, SaysTheCodesSentenceAndThenTheDetail) {
    EXPECT_EQ(refused().message(), "Permission denied: subject \"a.b\"");
}

TEST(Result, ThrowsAFailureThatCarriesTheErrorWhenThereIsNoValue) {
    const pipit::result<int> none = refused();
    try {
        (void)none.value();
        FAIL() << "nothing was thrown";
    } catch (const pipit::failure& failure) {
        EXPECT_EQ(failure.why(), refused());
        EXPECT_STREQ(failure.what(), "Permission denied: subject \"a.b\"");
    }
}

TEST(RandomSource, ReplaysFromItsSeedAndStaysBelowTheBound) {
    pipit::random_source a(7), b(7), c(8);
    EXPECT_NE(c(), pipit::random_source(7)());
    for (int i = 0; i < 1000; ++i) {
        const auto value = a.below(10);
        EXPECT_EQ(value, b.below(10));
        EXPECT_LT(value, 10u);
    }
}

TEST(LowerCase, IsOfAsciiLettersAlone) {
    EXPECT_EQ(pipit::lower_case("[AZ]az \xc3\x84"), "[az]az \xc3\x84");
    EXPECT_TRUE(pipit::starts_without_case("HTTP://h", "http://"));
    EXPECT_FALSE(pipit::starts_without_case("HTT", "http://"));
}

TEST(Trimmed, CutsOffWhatStandsAtBothEnds) {
    EXPECT_EQ(pipit::trimmed(" \ta b\t ", " \t"), "a b");
    EXPECT_EQ(pipit::trimmed(" \ta ", " "), "\ta");
    EXPECT_EQ(pipit::trimmed("  ", " "), "");
    EXPECT_EQ(pipit::trimmed("", " "), "");
}

TEST(UrlUser, IsAllThatMayBeAPassword) {
    const auto hidden = [](std::string_view url) {
        const auto user = pipit::url_user_of(url);
        return std::string(url.substr(0, user.begin)) + "*" + std::string(url.substr(user.end));
    };
    EXPECT_EQ(hidden("nats://u:p@h:1"), "nats://*@h:1");
    EXPECT_EQ(hidden("u:p@h"), "*@h");
    EXPECT_EQ(hidden("tls://token@h/path"), "tls://*@h/path");
    for (const auto* const password : {"p,q", "p/q", "p@q", "p:q", "p://q", "@", "p=q", ""}) {
        EXPECT_EQ(hidden("nats://u:" + std::string(password) + "@h"), "nats://*@h") << password;
        EXPECT_EQ(hidden("u:" + std::string(password) + "@h"), "*@h") << password;
    }
    for (const auto* const url : {"nats://h:1", "h:1", "", "nats://", "nats://@h", "@"}) {
        EXPECT_TRUE(pipit::url_user_of(url).empty()) << url;
    }
}

TEST(NearestName, IsWhatSomebodyProbablyMeant) {
    EXPECT_EQ(pipit::nearest_name("reqest", {"request", "reply"}), "request");
    EXPECT_EQ(pipit::nearest_name("erquest", {"request", "reply"}), "request");
    EXPECT_EQ(pipit::nearest_name("lat", {"latency", "rtt"}), "latency");
    EXPECT_EQ(pipit::nearest_name("x", {"request", "reply"}), "");
    EXPECT_EQ(pipit::nearest_name(std::string(1000, 'a'), {"a"}), "");
}

TEST(JoinHostPort, PutsBracketsAroundIpv6Alone) {
    EXPECT_EQ(pipit::join_host_port("::1", 4222), "[::1]:4222");
    EXPECT_EQ(pipit::join_host_port("127.0.0.1", 4222), "127.0.0.1:4222");
    EXPECT_EQ(pipit::join_host_port("", -1), ":-1");
}

TEST(Logger, WritesDebugLinesOnlyWhenTheyAreWanted) {
    std::string written;
    const auto sink = [&](pipit::log_level, std::string_view line) { written += line; };
    pipit::logger(sink, false).debug("quiet");
    pipit::logger(sink, true).debug("loud");
    EXPECT_EQ(written, "loud");
}

} // namespace
