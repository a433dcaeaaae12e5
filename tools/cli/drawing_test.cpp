// SPDX-License-Identifier: Apache-2.0
#include <cli/drawing.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit::cli;

const table sample{.columns = {{"Name"}, {"Messages", true}},
                   .rows = {{"one", "1,234"}, {"längst", "7"}}};

TEST(Table, IsAlignedForPeople) {
    EXPECT_EQ(aligned(sample), "Name    Messages\n"
                               "──────  ────────\n"
                               "one        1,234\n"
                               "längst         7\n");
}

TEST(Table, IsPartedByTabsForPrograms) {
    EXPECT_EQ(tab_separated(sample), "one\t1,234\nlängst\t7\n");
    EXPECT_EQ(tab_separated({.columns = {{"A"}, {"B"}}, .rows = {{"a\tb", "c\nd"}}}), "a b\tc d\n");
    EXPECT_EQ(tab_separated({.columns = {{"A"}}, .rows = {}}), "");
}

TEST(Table, DoesNotCountColours) {
    EXPECT_EQ(shown_width(painted("abc", colour::red, true)), 3u);
    EXPECT_EQ(painted("abc", colour::red, false), "abc");
    EXPECT_EQ(painted("", colour::red, true), "");
}

TEST(Graph, DrawsItsValuesToAScale) {
    EXPECT_EQ(bar_graph({0, 50, 100}, {.width = 20, .height = 2}), "100 ┤  █\n"
                                                                   "  0 ┤ ██\n");
    EXPECT_EQ(bar_graph({25, 75}, {.width = 20, .height = 2}), "100 ┤ ▄\n"
                                                               "  0 ┤▄█\n");
}

TEST(Graph, ShowsThatThereIsLittleAndThatThereIsNothing) {
    EXPECT_EQ(bar_graph({0, 1, 1000}, {.width = 20, .height = 2}), "1,000 ┤  █\n"
                                                                   "    0 ┤ ▁█\n");
    EXPECT_EQ(bar_graph({}, {.width = 20, .height = 2}), "1 ┤\n0 ┤\n");
}

TEST(Graph, ShowsTheNewestValuesThatFit) {
    const std::vector<double> many(1000, 1.0);
    const auto text = bar_graph(many, {.width = 10, .height = 2});
    EXPECT_EQ(shown_width(text.substr(0, text.find('\n'))), 10u);
}

TEST(Progress, GoesFromNothingToAll) {
    EXPECT_EQ(progress_bar(0, 17), "[>         ]   0%");
    EXPECT_EQ(progress_bar(0.52, 17), "[=====>    ]  52%");
    EXPECT_EQ(progress_bar(1, 17), "[==========] 100%");
    EXPECT_EQ(progress_bar(7, 17), "[==========] 100%");
}

TEST(Wrapped, BreaksAtBlanks) {
    EXPECT_EQ(wrapped("one two three", 9, 2), "  one two\n  three\n");
    EXPECT_EQ(wrapped("a-very-long-word b", 5, 0), "a-very-long-word\nb\n");
    EXPECT_EQ(wrapped("", 5, 0), "");
}

} // namespace
