// SPDX-License-Identifier: Apache-2.0
#include <cli/templates.hpp>

#include <gtest/gtest.h>

#include <set>

namespace {

using namespace pipit;
using namespace std::chrono_literals;

/// 2024-02-29 23:04:05 in UTC.
const cli::template_values sample{.count = 7,
                                  .now = wall_time(1'709'247'845s + 42ns),
                                  .utc_offset = 0s,
                                  .subject = "weather.paris.now",
                                  .request = "please"};

std::string filled(std::string_view text, const cli::template_values& values = sample) {
    cli::template_filler filler(1);
    auto result = filler.fill(text, values);
    EXPECT_EQ(result.complaint, "") << text;
    return result.text;
}

TEST(Templates, AreFilledIn) {
    EXPECT_EQ(filled("no template"), "no template");
    EXPECT_EQ(filled("{{Count}} {{ Count }} {{.Count}} {{Cnt}}"), "7 7 7 7");
    EXPECT_EQ(filled("{{Unix}}.{{UnixNano}}"), "1709247845.1709247845000000042");
    EXPECT_EQ(filled("a{{Request}}b{{Subject}}"), "apleasebweather.paris.now");
    EXPECT_EQ(filled("{{0}}/{{1}}/{{2}}"), "weather/paris/now");
    EXPECT_EQ(filled("{ {} }} }"), "{ {} }} }");
}

TEST(Templates, SayTheLocalTime) {
    auto values = sample;
    EXPECT_EQ(filled("{{Time}} {{TimeStamp}}", values), "11:04PM 2024-02-29T23:04:05Z");
    values.utc_offset = 90min;
    EXPECT_EQ(filled("{{Time}} {{TimeStamp}}", values), "12:34AM 2024-03-01T00:34:05+01:30");
    values.utc_offset = -11h - 30min;
    EXPECT_EQ(filled("{{Time}} {{TimeStamp}}", values), "11:34AM 2024-02-29T11:34:05-11:30");
    values.utc_offset = -11h;
    EXPECT_EQ(filled("{{Time}}", values), "12:04PM");
}

TEST(Templates, MakeNamesThatNobodyElseHas) {
    cli::template_filler filler(3);
    std::set<std::string> names;
    for (int i = 0; i < 100; ++i) names.insert(filler.fill("{{ID}}", sample).text);
    EXPECT_EQ(names.size(), 100u);
    EXPECT_EQ(names.begin()->size(), 22u);
}

TEST(Templates, MakeRandomTextsOfTheLengthsThatAreAskedFor) {
    cli::template_filler filler(3);
    std::set<std::size_t> sizes;
    for (int i = 0; i < 500; ++i) {
        const auto text = filler.fill("{{ Random 3 6 }}", sample).text;
        sizes.insert(text.size());
        for (const auto c : text) EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)));
    }
    EXPECT_EQ(sizes, (std::set<std::size_t>{3, 4, 5, 6}));
    EXPECT_EQ(filler.fill("{{Random 0 0}}", sample).text, "");
}

TEST(Templates, ThatAreNoneLeaveTheTextAlone) {
    for (const auto* text : {"{\"a\":{{\"b\":1}}", "{{", "x {{Count", "{{nope}}", "{{Count 1}}",
                             "{{}}", "{{9}}", "{{Random}}", "{{Random 5 1}}", "{{Random 1 2 3}}",
                             "{{Random 0 99999999999}}", "{{Count}} {{nope}}"}) {
        cli::template_filler filler(1);
        const auto result = filler.fill(text, sample);
        EXPECT_EQ(result.text, text);
        EXPECT_NE(result.complaint, "") << text;
    }
}

} // namespace
