// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/subject_transform.hpp>

#include <pipit/protocol/error.hpp>

#include <support/allocations.hpp>

#include <gtest/gtest.h>

#include <set>

namespace {

using namespace pipit::protocol;

struct transformed {
    std::string_view source;
    std::string_view destination;
    std::string_view subject;
    std::string_view result;
};

// What nats-server v2.15.2 delivered for `subject`, published into an account with this mapping.
constexpr transformed delivered_by_nats_server[] = {
    {"a.*", "b.$1", "a.x", "b.x"},
    {"a.*.*", "b.$2.$1", "a.x.y", "b.y.x"},
    {"a.*", "b.{{wildcard(1)}}", "a.x", "b.x"},
    {"a.*", "b.{{ Wildcard ( 1 ) }}", "a.x", "b.x"},
    {"a.*", "b.$0", "a.x", "b.a"},
    {"a.*", "b.$-1", "a.x", "b.a"},
    {"a.*", "b.$+1", "a.x", "b.x"},
    {"a.*", "b.$x.c$1", "a.x", "b.$x.c$1"},
    {"a.*", "b.{{wildcard(0)}}", "a.x", "b.a"},
    {"a.>", "b.>", "a.x", "b.x"},
    {"a.>", "b.>", "a.x.y.z", "b.x.y.z"},
    {">", "b.>", "a", "b.a"},
    {">", "b.>", "x.y", "b.x.y"},
    {"a.*.>", "b.$1.c.>", "a.x.y.z", "b.x.c.y.z"},
    {">", ">", "q.r", "q.r"},
    {"*.>", "$1.n.>", "a.b", "a.n.b"},
    {"a.*.*", "p.{{partition(1,1,2)}}", "a.x.y", "p.0"},
    {"a.*.*", "p.{{partition(1,1,2)}}", "a.foo.bar", "p.0"},
    {"a.*.*", "p.{{partition(1,1,2)}}", "a.12345.6", "p.0"},
    {"a.*.*", "p.{{partition(3,1,2)}}", "a.x.y", "p.1"},
    {"a.*.*", "p.{{partition(3,1,2)}}", "a.foo.bar", "p.1"},
    {"a.*.*", "p.{{partition(3,1,2)}}", "a.12345.6", "p.0"},
    {"a.*.*", "p.{{partition(10,1,2)}}", "a.x.y", "p.2"},
    {"a.*.*", "p.{{partition(10,1,2)}}", "a.foo.bar", "p.0"},
    {"a.*.*", "p.{{partition(10,1,2)}}", "a.12345.6", "p.4"},
    {"a.*.*", "p.{{partition(1000,1,2)}}", "a.x.y", "p.802"},
    {"a.*.*", "p.{{partition(1000,1,2)}}", "a.foo.bar", "p.720"},
    {"a.*.*", "p.{{partition(1000,1,2)}}", "a.12345.6", "p.674"},
    {"a.*.*", "p.{{partition(10,2)}}", "a.x.y", "p.6"},
    {"a.*.*", "p.{{partition(10,2)}}", "a.foo.bar", "p.2"},
    {"a.*.*", "p.{{Partition( 10 , 2, 1)}}", "a.foo.bar", "p.2"},
    {"a.*.*", "p.{{partition(10)}}", "a.x.y", "p.1"},
    {"a.*.*", "p.{{partition(10)}}", "a.foo.bar", "p.1"},
    {"a.*.*", "p.{{partition(10)}}", "a.1.2", "p.3"},
    {"a.*.*", "p.{{partition(0,1)}}", "a.x.y", "p.0"},
    {"a.*.*", "p.{{partition(-3,1)}}", "a.x.y", "p.4245442695"},
    {"a.*.*", "p.{{partition(2147483647,1)}}", "a.x.y", "p.2097959048"},
    {">", "p.{{partition(5)}}.>", "x.y.z", "p.2.x.y.z"},
    {"a.*", "p.{{partition(7,0)}}", "a.x", "p.5"},
    {"*", "p.{{partition(100,1)}}",
     "h\xc3\xa9"
     "llo",
     "p.0"},
    {"*", "p.{{partition(100,1)}}", "orders", "p.20"},
    {"*", "p.{{partition(100,1)}}", "0", "p.63"},
    {"*", "p.{{partition(100,1)}}", "a-very-long-token-with-many-characters-in-it-0123456789",
     "p.74"},
    {"n.*", "r.{{splitFromLeft(1,-1)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{splitFromLeft(1,0)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{splitFromLeft(1,1)}}", "n.12345", "r.1.2345"},
    {"n.*", "r.{{splitFromLeft(1,2)}}", "n.12345", "r.12.345"},
    {"n.*", "r.{{splitFromLeft(1,3)}}", "n.12345", "r.123.45"},
    {"n.*", "r.{{splitFromLeft(1,4)}}", "n.12345", "r.1234.5"},
    {"n.*", "r.{{splitFromLeft(1,5)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{splitFromLeft(1,6)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{splitFromRight(1,-1)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{splitFromRight(1,0)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{splitFromRight(1,1)}}", "n.12345", "r.1234.5"},
    {"n.*", "r.{{splitFromRight(1,2)}}", "n.12345", "r.123.45"},
    {"n.*", "r.{{splitFromRight(1,3)}}", "n.12345", "r.12.345"},
    {"n.*", "r.{{splitFromRight(1,4)}}", "n.12345", "r.1.2345"},
    {"n.*", "r.{{splitFromRight(1,5)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{splitFromRight(1,6)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{sliceFromLeft(1,-1)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{sliceFromLeft(1,0)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{sliceFromLeft(1,1)}}", "n.12345", "r.1.2.3.4.5"},
    {"n.*", "r.{{sliceFromLeft(1,2)}}", "n.12345", "r.12.34.5"},
    {"n.*", "r.{{sliceFromLeft(1,3)}}", "n.12345", "r.123.45"},
    {"n.*", "r.{{sliceFromLeft(1,4)}}", "n.12345", "r.1234.5"},
    {"n.*", "r.{{sliceFromLeft(1,5)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{sliceFromLeft(1,6)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{sliceFromRight(1,-1)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{sliceFromRight(1,0)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{sliceFromRight(1,1)}}", "n.12345", "r.1.2.3.4.5"},
    {"n.*", "r.{{sliceFromRight(1,2)}}", "n.12345", "r.1.23.45"},
    {"n.*", "r.{{sliceFromRight(1,3)}}", "n.12345", "r.12.345"},
    {"n.*", "r.{{sliceFromRight(1,4)}}", "n.12345", "r.1.2345"},
    {"n.*", "r.{{sliceFromRight(1,5)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{sliceFromRight(1,6)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{left(1,-1)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{left(1,0)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{left(1,1)}}", "n.12345", "r.1"},
    {"n.*", "r.{{left(1,2)}}", "n.12345", "r.12"},
    {"n.*", "r.{{left(1,3)}}", "n.12345", "r.123"},
    {"n.*", "r.{{left(1,4)}}", "n.12345", "r.1234"},
    {"n.*", "r.{{left(1,5)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{left(1,6)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{right(1,-1)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{right(1,0)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{right(1,1)}}", "n.12345", "r.5"},
    {"n.*", "r.{{right(1,2)}}", "n.12345", "r.45"},
    {"n.*", "r.{{right(1,3)}}", "n.12345", "r.345"},
    {"n.*", "r.{{right(1,4)}}", "n.12345", "r.2345"},
    {"n.*", "r.{{right(1,5)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{right(1,6)}}", "n.12345", "r.12345"},
    {"n.*", "r.{{SplitFromleft(1,3)}}", "n.12345", "r.123.45"},
    {"n.*", "r.{{Left(1,3)}}", "n.12345", "r.123"},
    {"n.*", "r.{{sliceFromLeft(1,2)}}", "n.1234", "r.12.34"},
    {"n.*", "r.{{sliceFromLeft(1,2)}}", "n.1", "r.1"},
    {"n.*", "r.{{sliceFromLeft(1,2)}}", "n.12", "r.12"},
    {"n.*", "r.{{sliceFromRight(1,2)}}", "n.1234", "r.12.34"},
    {"n.*", "r.{{sliceFromRight(1,2)}}", "n.1", "r.1"},
    {"n.*", "r.{{sliceFromRight(1,2)}}", "n.12", "r.12"},
    {"n.*", "r.{{left(0,1)}}", "n.12345", "r.n"},
    {"n.*.*", "r.{{splitfromleft(2,3)}}.{{slicefromright(1,2)}}.end", "n.123.abcdef",
     "r.abc.def.1.23.end"},
    {"n.*", "r.{{split(1,-)}}", "n.a-b--c", "r.a.b.c"},
    {"n.*", "r.{{split(1,-)}}", "n.-a", "r.a"},
    {"n.*", "r.{{split(1,-)}}", "n.a-", "r.a"},
    {"n.*", "r.{{split(1,-)}}", "n.a--", "r.a"},
    {"n.*", "r.{{split(1,-)}}", "n.abc", "r.abc"},
    {"n.*", "r.{{split(1,-)}}", "n.a-b-c-d", "r.a.b.c.d"},
    {"n.*", "r.{{split(1, --)}}", "n.a-b--c", "r.a-b.c"},
    {"n.*", "r.{{split(1, --)}}", "n.a---b", "r.a.-b"},
    {"n.*", "r.{{split(1,)}}", "n.abc", "r.a.b.c"},
    {"n.*", "r.{{split(1,)}}",
     "n.h\xc3\xa9"
     "",
     "r.h.\xc3\xa9"
     ""},
    {"n.*", "r.{{split(1,-)}}.{{split(1,_)}}", "n.a-b_c", "r.a.b_c.a-b.c"},
    {"n.*", "r.{{Split( 1 ,x)}}", "n.axb", "r.a.b"},
    {"n.*", "r.{{random(1)}}", "n.a", "r.0"},
    {"n.*", "r.{{random(0)}}", "n.a", "r.0"},
    {"lit", "r.{{random(1)}}", "lit", "r.0"},
    {"n.*", "r.{{Random(-1)}}", "n.a", "r.0"},
    {"n.*", "r.{{x{{wildcard(1)}}", "n.a", "r.a"},
    {"n.*", "r.{{split(1,-)}}{{wildcard(1)}}", "n.a-b", "r.a-b"},
    {"n.*", "r.{{}}", "n.a", "r.{{}}"},
    {"n.*", "r.{{x}", "n.a", "r.{{x}"},
    {"n.*", "r.x{{wildcard(1)}}", "n.a", "r.x{{wildcard(1)}}"},
    {"n.*", "{{wildcard(1)}}", "n.a", "a"},
    {"lit", "other", "lit", "other"},
    {"lit", "r.$x", "lit", "r.$x"},
    {"a.*x.*", "b.$1", "a.nope.q", "b.q"},
    {"a*", "b", "a*", "b"},
    {"n.*", "r.{{split(1,-)}}", "n.a-*", "r.a.*"},
};

struct refused {
    std::string_view source;
    std::string_view destination;
    std::string_view reason;
};

// What `nats-server -t` (v2.15.2) says about a configuration with this mapping.
constexpr refused refused_by_nats_server[] = {
    {"a.*", "b.$2", "invalid mapping destination: wildcard index out of range in $2: [2]"},
    {"a.*", "b.{{wildcard(2)}}",
     "invalid mapping destination: wildcard index out of range in {{wildcard(2)}}: [2]"},
    {"a", "b.$1", "invalid mapping destination: wildcard index out of range in $1"},
    {"a", "b.{{wildcard(1)}}",
     "invalid mapping destination: wildcard index out of range in {{wildcard(1)}}"},
    {"a.*", "b.{{unknown(1)}}", "invalid mapping destination: unknown function in {{unknown(1)}}"},
    {"a.*", "b.{{wildcard()}}",
     "invalid mapping destination: not enough arguments passed to the function in {{wildcard()}}"},
    {"a.*", "b.{{wildcard(x)}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{wildcard(x)}}"},
    {"a.*", "b.{{wildcard(1,2)}}",
     "invalid mapping destination: too many arguments passed to the function in {{wildcard(1,2)}}"},
    {"a.*", "b.{{partition()}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{partition()}}"},
    {"a.*", "b.{{partition(x,1)}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{partition(x,1)}}"},
    {"a.*", "b.{{partition(3,x)}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{partition(3,x)}}"},
    {"a.*", "b.{{partition(3,2)}}",
     "invalid mapping destination: wildcard index out of range in {{partition(3,2)}}: [2]"},
    {"a.*", "b.{{partition(2147483648,1)}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{partition(2147483648,1)}}"},
    {"a.*", "b.{{splitFromLeft(1)}}",
     "invalid mapping destination: not enough arguments passed to the function in "
     "{{splitFromLeft(1)}}"},
    {"a.*", "b.{{splitFromLeft(1,2,3)}}",
     "invalid mapping destination: too many arguments passed to the function in "
     "{{splitFromLeft(1,2,3)}}"},
    {"a.*", "b.{{splitFromLeft(x,2)}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{splitFromLeft(x,2)}}"},
    {"a.*", "b.{{splitFromLeft(1,x)}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{splitFromLeft(1,x)}}"},
    {"a.*", "b.{{splitFromLeft(1,2147483648)}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{splitFromLeft(1,2147483648)}}"},
    {"a.*", "b.{{left(3,1)}}",
     "invalid mapping destination: wildcard index out of range in {{left(3,1)}}: [3]"},
    {"a.*", "b.{{split(1)}}",
     "invalid mapping destination: not enough arguments passed to the function in {{split(1)}}"},
    {"a.*", "b.{{split(1,-,-)}}",
     "invalid mapping destination: too many arguments passed to the function in {{split(1,-,-)}}"},
    {"a.*", "b.{{split(x,-)}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{split(x,-)}}"},
    {"a.*", "b.{{split(1,a b)}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{split(1,a b)}}"},
    {"a.*", "b.{{random()}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{random()}}"},
    {"a.*", "b.{{random(1,2)}}",
     "invalid mapping destination: not enough arguments passed to the function in {{random(1,2)}}"},
    {"a.*", "b.{{random(x)}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{random(x)}}"},
    {"a", "b.{{left(1,1)}}",
     "invalid mapping destination: wildcard index out of range in {{left(1,1)}}"},
    {"a.*", "b.*", "invalid subject"},
    {"a.*", "b.>", "invalid subject"},
    {"a.>", "b", "invalid subject"},
    {"a", "b..c", "invalid mapping destination: invalid transform"},
    {"a", "b.", "invalid mapping destination: invalid transform"},
    {"a.>", ">.b", "invalid mapping destination: invalid transform in b"},
    {"a", "b c", "invalid mapping destination: invalid transform"},
    {"a.*", "b.{{wildcard(1)}}.c d", "invalid mapping destination: invalid transform"},
    {"a", "b.{{partition(x)}}",
     "invalid mapping destination: function argument is invalid or in the wrong format in "
     "{{partition(x)}}"},
    {"a.*", "b.{{Left(1,2}}", "invalid mapping destination: unknown function in {{Left(1,2}}"},
    {"a.*", "b.{{WILDCARD(1)}}",
     "invalid mapping destination: unknown function in {{WILDCARD(1)}}"},
    {"a..b", "c", "invalid subject"},
    {"a.>.b", "c", "invalid subject"},
};

std::string apply(std::string_view source, std::string_view destination, std::string_view subject) {
    pipit::random_source random(1);
    std::string result;
    subject_transform::make(source, destination).value().apply(subject, random, result);
    return result;
}

TEST(SubjectTransform, GivesTheSubjectsThatNatsServerGives) {
    for (const auto& row : delivered_by_nats_server) {
        const auto transform = subject_transform::make(row.source, row.destination);
        ASSERT_TRUE(transform) << transform.error().message();
        EXPECT_TRUE(transform->matches(row.subject)) << row.source << " for " << row.subject;
        EXPECT_EQ(apply(row.source, row.destination, row.subject), row.result)
            << row.source << " to " << row.destination << " with " << row.subject;
    }
}

TEST(SubjectTransform, RefusesInTheWordsOfNatsServer) {
    for (const auto& row : refused_by_nats_server) {
        const auto transform = subject_transform::make(row.source, row.destination);
        ASSERT_FALSE(transform) << row.source << " to " << row.destination;
        EXPECT_EQ(transform.error(), errc::invalid_mapping);
        EXPECT_EQ(transform.error().detail(), row.reason);
    }
}

TEST(SubjectTransform, RefusesADestinationWithoutASubject) {
    EXPECT_EQ(subject_transform::make("a", "").error(), errc::invalid_mapping);
}

TEST(SubjectTransform, IsForTheSubjectsOfItsSourceOnly) {
    const auto transform = subject_transform::make("a.*.>", "b").error();
    EXPECT_EQ(transform, errc::invalid_mapping);
    const auto made = subject_transform::make("a.*.>", "b.$1.>").value();
    EXPECT_TRUE(made.matches("a.b.c"));
    EXPECT_TRUE(made.matches("a.b.c.d"));
    EXPECT_FALSE(made.matches("a.b"));
    EXPECT_FALSE(made.matches("b.b.c"));
    EXPECT_FALSE(made.matches("a"));
}

TEST(SubjectTransform, LeavesAnEmptyTokenForSeveralSeparatorsInFront) {
    // nats-server delivers these to nobody, not even to `>`.
    EXPECT_EQ(apply("n.*", "r.{{split(1,-)}}", "n.--a"), "r..a");
    EXPECT_EQ(apply("n.*", "r.{{split(1,-)}}", "n.---a-b"), "r..a.b");
}

TEST(SubjectTransform, HashesTheWholeSubjectOfALiteralSource) {
    // FNV-1a of "foo" is 0xa9f37ed7.
    EXPECT_EQ(apply("foo", "p.{{partition(1000)}}", "foo"), "p.223");
    EXPECT_EQ(apply("foo", "p.{{partition(1000,1)}}", "foo"), "p.223");
}

TEST(SubjectTransform, ChoosesEveryNumberBelowTheOneOfRandom) {
    const auto transform = subject_transform::make("n.*", "{{random(4)}}").value();
    pipit::random_source random(1);
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) {
        std::string result;
        transform.apply("n.x", random, result);
        seen.insert(result);
    }
    EXPECT_EQ(seen, (std::set<std::string>{"0", "1", "2", "3"}));
}

TEST(SubjectTransform, AllocatesNothingWhenThereIsRoom) {
    const auto transform =
        subject_transform::make("orders.*.*.>", "by.{{partition(100,1,2)}}.{{split(2,-)}}."
                                                "{{sliceFromRight(1,3)}}.{{random(9)}}.$1.>")
            .value();
    pipit::random_source random(1);
    std::string result;
    result.reserve(200);
    const auto before = pipit::test::allocation_count();
    transform.apply("orders.europe.some-long-name-of-a-customer.and.the.rest", random, result);
    EXPECT_EQ(pipit::test::allocation_count(), before);
    EXPECT_TRUE(result.ends_with(".europe.and.the.rest")) << result;
}

} // namespace
