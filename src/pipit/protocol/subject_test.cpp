// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/subject.hpp>

#include <pipit/base/random.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pipit::protocol {
namespace {

using namespace std::string_view_literals;

TEST(Subject, IsValidWhenItHasNoEmptyTokenNoForbiddenByteAndNothingBehindAFullWildcard) {
    for (const auto valid : {"a"sv, "a.b.c"sv, "*"sv, ">"sv, "a.*.c"sv, "a.>"sv, "foo*bar"sv,
                             "foo.>x"sv, "*.*"sv, "**"sv, ">>"sv, "$SYS.REQ"sv, "\xff\x01\0"sv}) {
        EXPECT_TRUE(is_valid_subject(valid)) << valid;
    }
    for (const auto invalid : {""sv, "."sv, ".a"sv, "a."sv, "a..b"sv, ">.a"sv, "a.>.b"sv, "a b"sv,
                               "a\tb"sv, "a\rb"sv, "a\nb"sv, "a\fb"sv, "a. "sv, ">."sv}) {
        EXPECT_FALSE(is_valid_subject(invalid)) << invalid;
    }
}

TEST(Subject, IsValidOrNotWhereverItsBytesStand) {
    constexpr auto bytes = "abc.*> \t\x01\xff."sv;
    constexpr std::uint32_t mostly_letters = 4;
    random_source random(1);
    std::size_t valid_count = 0;
    std::size_t publishable_count = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::string subject;
        for (auto size = random.below(28); subject.size() < size;) {
            const bool any = random.below(6) == 0;
            subject += bytes[random.below(any ? static_cast<std::uint32_t>(bytes.size())
                                              : mostly_letters)];
        }
        bool is_valid = subject.find_first_of(" \t") == subject.npos;
        const auto all = tokens(subject);
        bool is_behind = false;
        bool is_publishable = is_valid;
        for (const auto token : all) {
            is_publishable = is_publishable && !token.empty() && token != "*" && token != ">";
            is_valid = is_valid && !token.empty() && !is_behind;
            is_behind = token == ">";
        }
        ASSERT_EQ(is_valid_subject(subject), is_valid) << subject;
        ASSERT_EQ(is_valid_publish_subject(subject), is_publishable) << subject;
        valid_count += is_valid ? 1 : 0;
        publishable_count += is_publishable ? 1 : 0;
    }
    EXPECT_GT(valid_count, 20'000u);
    EXPECT_GT(publishable_count, 15'000u);
}

TEST(Subject, IsAValidLiteralOnlyWithoutWildcardTokens) {
    EXPECT_TRUE(is_valid_literal_subject("a.b*c.>d"));
    EXPECT_TRUE(is_valid_literal_subject("a b")); // nats-server looks at tokens alone here.
    for (const auto invalid : {""sv, "a..b"sv, "a.*"sv, ">"sv, "a."sv}) {
        EXPECT_FALSE(is_valid_literal_subject(invalid)) << invalid;
    }
}

TEST(Subject, IsValidToPublishToWhenItIsValidAndLiteral) {
    EXPECT_TRUE(is_valid_publish_subject("orders.new"));
    EXPECT_FALSE(is_valid_publish_subject("orders.*"));
    EXPECT_FALSE(is_valid_publish_subject("orders new"));
}

TEST(Subject, IsLiteralWhenNoTokenIsAWildcard) {
    EXPECT_TRUE(is_literal("a.b"));
    EXPECT_TRUE(is_literal("a*.>b"));
    EXPECT_FALSE(is_literal("a.*.b"));
    EXPECT_FALSE(is_literal(">"));
}

TEST(Subject, MatchesAPatternTokenByToken) {
    EXPECT_TRUE(subject_matches("a.b", "a.b"));
    EXPECT_TRUE(subject_matches("a.*", "a.b"));
    EXPECT_TRUE(subject_matches("*.*", "a.b"));
    EXPECT_TRUE(subject_matches("a.>", "a.b.c"));
    EXPECT_TRUE(subject_matches(">", "a"));
    EXPECT_TRUE(subject_matches("a.*.>", "a.b.c.d"));
    EXPECT_FALSE(subject_matches("a.>", "a"));
    EXPECT_FALSE(subject_matches("a.*", "a"));
    EXPECT_FALSE(subject_matches("a.*", "a.b.c"));
    EXPECT_FALSE(subject_matches("a", "a.b"));
    EXPECT_FALSE(subject_matches("a.b", "a"));
}

TEST(Subject, TakesWildcardsInALiteralSubjectAsOrdinaryTokens) {
    EXPECT_TRUE(subject_matches(">", "a.*"));
    EXPECT_TRUE(subject_matches("a.*", "a.>"));
    EXPECT_FALSE(subject_matches("a.b", "a.*"));
}

TEST(Subject, MatchesNothingWhenItHasAnEmptyToken) {
    for (const auto subject : {""sv, "a..b"sv, ".a"sv, "a."sv}) {
        EXPECT_FALSE(subject_matches(">", subject)) << subject;
        EXPECT_FALSE(subject_matches(subject, subject)) << subject;
    }
}

TEST(Subject, IsASubsetWhenThePatternCoversAllThatItMatches) {
    EXPECT_TRUE(is_subset("a.b", "a.b"));
    EXPECT_TRUE(is_subset("a.*", "a.*"));
    EXPECT_TRUE(is_subset("a.*", "a.>"));
    EXPECT_TRUE(is_subset("a.>", "a.>"));
    EXPECT_TRUE(is_subset("a.>", ">"));
    EXPECT_TRUE(is_subset("a.b", "*.b"));
    EXPECT_FALSE(is_subset("a.*", "a.b"));
    EXPECT_FALSE(is_subset("a.>", "a.*"));
    EXPECT_FALSE(is_subset("a", "a.>"));
    EXPECT_FALSE(is_subset("a.b.c", "a.b"));
    EXPECT_FALSE(is_subset("a.b", "a.b.c"));
}

TEST(Subject, CollidesWithAnotherWhenSomethingCouldMatchBoth) {
    EXPECT_TRUE(subjects_collide("a.b", "a.b"));
    EXPECT_TRUE(subjects_collide("a.*", "*.b"));
    EXPECT_TRUE(subjects_collide("a.>", "a.b.*"));
    EXPECT_TRUE(subjects_collide("a.b", "a.*"));
    EXPECT_TRUE(subjects_collide(">", "*"));
    EXPECT_FALSE(subjects_collide("a.b", "a.c"));
    EXPECT_FALSE(subjects_collide("a.*", "b.*"));
    EXPECT_FALSE(subjects_collide("a.*", "*.b.*"));
    EXPECT_FALSE(subjects_collide("a.b.>", "a.*"));
}

TEST(Subject, GivesItsTokensInOrder) {
    const auto split = [](bytes_view subject) {
        std::vector<std::string> out;
        for (const auto token : tokens(subject)) out.emplace_back(token);
        return out;
    };
    EXPECT_EQ(split("a.bc.d"), (std::vector<std::string>{"a", "bc", "d"}));
    EXPECT_EQ(split(".a."), (std::vector<std::string>{"", "a", ""}));
    EXPECT_EQ(split(""), (std::vector<std::string>{""}));
    EXPECT_EQ(token_count("a.bc.d"), 3u);
    EXPECT_EQ(token_count("a"), 1u);
}

} // namespace
} // namespace pipit::protocol
