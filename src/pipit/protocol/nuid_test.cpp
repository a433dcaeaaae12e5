// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/nuid.hpp>
#include <pipit/protocol/subject.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace pipit::protocol {
namespace {

TEST(Nuid, MakesUniqueNamesOf22LettersAndDigits) {
    nuid names(1);
    std::set<std::string> seen;
    for (int i = 0; i < 10'000; ++i) {
        const auto name = names.next();
        ASSERT_EQ(name.size(), nuid::length);
        ASSERT_TRUE(std::all_of(name.begin(), name.end(),
                                [](unsigned char c) { return std::isalnum(c) != 0; }));
        ASSERT_TRUE(seen.insert(name).second);
    }
}

TEST(Nuid, ReplaysFromItsSeed) {
    nuid a(7), b(7), c(8);
    const auto name = a.next();
    EXPECT_EQ(name, b.next());
    EXPECT_NE(name, c.next());
}

TEST(Inbox, IsASubjectBelowItsPrefix) {
    nuid names(1);
    EXPECT_TRUE(subject_matches("_INBOX.*", make_inbox(names)));
    EXPECT_TRUE(subject_matches("my.replies.*", make_inbox(names, "my.replies")));
}

} // namespace
} // namespace pipit::protocol
