// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/import_subjects.hpp>

#include <gtest/gtest.h>

namespace {

using pipit::broker::import_subjects;

import_subjects made(std::string_view exported, std::string_view local) {
    return import_subjects::make(exported, local).value();
}
std::string local_of(const import_subjects& subjects, std::string_view subject) {
    std::string scratch;
    return std::string(subjects.to_local(subject, scratch));
}
std::string exported_of(const import_subjects& subjects, std::string_view subject) {
    std::string scratch;
    return std::string(subjects.to_exported(subject, scratch));
}
std::string refusal(std::string_view exported, std::string_view local) {
    const auto tried = import_subjects::make(exported, local);
    return tried ? std::string() : std::string(tried.error().detail());
}

TEST(ImportSubjects, RenameThereAndBack) {
    const auto subjects = made("a.*.b.*.*.>", "x.$3.$1.y.$2.>");
    EXPECT_EQ(subjects.local(), "x.*.*.y.*.>");
    EXPECT_EQ(local_of(subjects, "a.1.b.2.3.4.5"), "x.3.1.y.2.4.5");
    EXPECT_EQ(exported_of(subjects, "x.3.1.y.2.4.5"), "a.1.b.2.3.4.5");
}

TEST(ImportSubjects, TakeEveryWayToWriteAWildcard) {
    for (const auto* local : {"q.*", "q.$1", "q.{{wildcard(1)}}", "q.{{ Wildcard(1) }}"}) {
        const auto subjects = made("s.*", local);
        EXPECT_EQ(subjects.local(), "q.*") << local;
        EXPECT_EQ(local_of(subjects, "s.1"), "q.1") << local;
    }
}

TEST(ImportSubjects, KeepTheNameWhenThereIsNoOther) {
    const auto subjects = made("s.>", "");
    EXPECT_EQ(local_of(subjects, "s.1.2"), "s.1.2");
    EXPECT_EQ(exported_of(subjects, "s.1.2"), "s.1.2");
}

TEST(ImportSubjects, AskTheExporterForWhatASubscriptionCovers) {
    const auto renamed = made("st.*.>", "q.$1.>");
    EXPECT_EQ(renamed.interest_of("q.*.>"), "st.*.>");
    EXPECT_EQ(renamed.interest_of(">"), "st.*.>");
    EXPECT_EQ(renamed.interest_of("q.a.b"), "st.a.b");
    EXPECT_EQ(renamed.interest_of("q.a.*"), "st.a.*");
    EXPECT_EQ(renamed.interest_of("*.a.b"), "st.a.b");
    EXPECT_EQ(renamed.interest_of("*.*.b.>"), "st.*.b.>");
    EXPECT_EQ(renamed.interest_of("st.a.b"), std::nullopt);
    EXPECT_EQ(renamed.interest_of("*.a"), std::nullopt);
    const auto same = made("s.*.b", "");
    EXPECT_EQ(same.interest_of("s.a.*"), "s.a.b");
    EXPECT_EQ(same.interest_of("s.a.b"), "s.a.b");
    EXPECT_EQ(same.interest_of("s.a.c"), std::nullopt);
    const auto one = made("only", "other.name");
    EXPECT_EQ(one.interest_of("other.*"), "only");
    EXPECT_EQ(one.interest_of("only"), std::nullopt);
}

TEST(ImportSubjects, SayWhatCannotBeRenamed) {
    EXPECT_EQ(refusal("a.*.*", "x.$1"),
              "invalid mapping destination: not using all of the token wildcard(s) in x.$1");
    EXPECT_EQ(refusal("a.*", "x.$2"),
              "invalid mapping destination: wildcard index out of range in $2: [2]");
    EXPECT_EQ(refusal("a.*", "x.{{partition(3,1)}}"),
              "invalid mapping destination: the only mapping function allowed for import "
              "transforms is {{Wildcard()}} in {{partition(3,1)}}");
    EXPECT_EQ(refusal("a.>", "x"), "invalid subject");
    EXPECT_NE(refusal("a.*", "x..$1"), "");
}

} // namespace
