// SPDX-License-Identifier: Apache-2.0
#include <cli/shell_words.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit::cli;
using words = std::vector<std::string>;

TEST(ShellWords, ArePartedAtBlanks) {
    EXPECT_EQ(split_shell_words(""), words{});
    EXPECT_EQ(split_shell_words("  wc   -c\t\n"), (words{"wc", "-c"}));
    EXPECT_EQ(split_shell_words("a 'b c' \"d e\" f\\ g"), (words{"a", "b c", "d e", "f g"}));
    EXPECT_EQ(split_shell_words("x'y'\"z\" '' \"\""), (words{"xyz", "", ""}));
    EXPECT_EQ(split_shell_words(R"("a\"b\\c\n" '\')"), (words{"a\"b\\c\\n", "\\"}));
}

TEST(ShellWords, AreNoneWhenAQuoteIsLeftOpen) {
    for (const auto* text : {"'", "\"a", "a 'b", "a\\"}) EXPECT_FALSE(split_shell_words(text));
}

TEST(ShellWords, QuotedAreReadBackAsTheyWere) {
    for (const std::string word :
         {"", "plain-1.x", "a b", "it's", "$HOME", "\\", "\"", "{{Count}}"}) {
        EXPECT_EQ(split_shell_words(quoted_for_shell(word)), words{word});
    }
    EXPECT_EQ(quoted_for_shell("plain"), "plain");
}

} // namespace
