// SPDX-License-Identifier: Apache-2.0
#include <cli/arguments.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit;
using namespace pipit::cli;

/// A program small enough to be seen whole.
struct sample {
    std::string server;
    bool json = false;
    std::string subject, payload = "unset", mode;
    std::vector<std::string> headers, subjects;
    std::uint64_t count = 1;
    bool raw = false;
    std::string name;

    command tree() {
        command pub{.name = "pub", .aliases = {"publish"}, .summary = "Publishes"};
        pub.arguments = {
            {.names = "subject", .help = "where it goes", .set = into(subject), .required = true},
            {.names = "payload", .help = "what", .set = into(payload)}};
        pub.options = {
            {.names = "-H,--header", .value = "N:V", .set = into(headers), .repeats = true},
            {.names = "--count", .value = "N", .set = into(count)},
            {.names = "--mode", .value = "M", .set = into(mode), .words = {"eof", "newline"}}};
        command sub{.name = "sub", .summary = "Subscribes"};
        sub.arguments = {
            {.names = "subjects", .help = "which", .set = into(subjects), .repeats = true}};
        sub.options = {{.names = "-r,--raw", .set = into(raw)}};
        command add{.name = "add", .summary = "Adds"};
        add.arguments = {
            {.names = "name", .help = "its name", .set = into(name), .required = true}};
        command context{.name = "context", .aliases = {"ctx"}, .summary = "Contexts"};
        context.commands = {add};
        command root{.name = "pipit", .summary = "All"};
        root.options = {{.names = "-s,--server", .value = "URL", .set = into(server)},
                        {.names = "--json", .set = into(json)}};
        root.commands = {pub, sub, context};
        return root;
    }
};

std::string complaint(const std::vector<std::string>& words) {
    sample values;
    const auto tree = values.tree();
    return parse_arguments(tree, words).complaint;
}

TEST(Arguments, AreTakenWhereverOptionsStand) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"-s", "u", "pub", "a.b", "hi", "--count", "3"},
             {"pub", "-s", "u", "--count=3", "a.b", "hi"},
             {"publish", "a.b", "hi", "--count", "3", "--server=u"},
             {"pub", "--count", "3", "-su", "--", "a.b", "hi"}}) {
        sample values;
        const auto tree = values.tree();
        const auto line = parse_arguments(tree, words);
        EXPECT_EQ(line.complaint, "");
        EXPECT_EQ(line.path_text(), "pipit pub");
        EXPECT_EQ(values.server, "u");
        EXPECT_EQ(values.count, 3u);
        EXPECT_EQ(values.subject, "a.b");
        EXPECT_EQ(values.payload, "hi");
    }
}

TEST(Arguments, ThatLookLikeSomethingElseAreTakenAsTheyAre) {
    for (const auto* payload : {"[1,2]", "{}", "{\"a\":1}", "sub", "pub", "", " ", "%%", "a b",
                                "\"q\"", "'q'", "a=b", "/x", "@file", "context"}) {
        sample values;
        const auto tree = values.tree();
        EXPECT_EQ(parse_arguments(tree, {"pub", "s", payload}).complaint, "") << payload;
        EXPECT_EQ(values.payload, payload);
    }
    sample values;
    const auto tree = values.tree();
    EXPECT_EQ(parse_arguments(tree, {"pub", "s", "--", "-5"}).complaint, "");
    EXPECT_EQ(values.payload, "-5");
}

TEST(Arguments, RepeatAndTheLastOneWinsWhereOneCounts) {
    sample values;
    const auto tree = values.tree();
    const auto line = parse_arguments(tree, {"pub", "s", "-H", "a:1", "--count", "1", "-H",
                                             "[b]:{2}", "p", "--count", "2", "--header=c: 3"});
    EXPECT_EQ(line.complaint, "");
    EXPECT_EQ(values.headers, (std::vector<std::string>{"a:1", "[b]:{2}", "c: 3"}));
    EXPECT_EQ(values.count, 2u);
}

TEST(Arguments, MayBeSeveral) {
    sample values;
    const auto tree = values.tree();
    EXPECT_EQ(parse_arguments(tree, {"sub", "a", "-r", "b.>", "pub", "c"}).complaint, "");
    EXPECT_EQ(values.subjects, (std::vector<std::string>{"a", "b.>", "pub", "c"}));
    EXPECT_TRUE(values.raw);
    EXPECT_EQ(complaint({"sub", "a", "--rwa"}), "unknown option '--rwa'. Did you mean '--raw'?");
}

TEST(Arguments, OfNestedCommandsAreFound) {
    sample values;
    const auto tree = values.tree();
    const auto line = parse_arguments(tree, {"ctx", "add", "one", "-s", "u", "--json"});
    EXPECT_EQ(line.complaint, "");
    EXPECT_EQ(line.path_text(), "pipit context add");
    EXPECT_EQ(values.name, "one");
    EXPECT_EQ(values.server, "u");
    EXPECT_TRUE(values.json);
}

TEST(Arguments, ComplainWithWhatWasProbablyMeant) {
    EXPECT_EQ(complaint({"pubb"}), "unknown command 'pubb'. Did you mean 'pub'?");
    EXPECT_EQ(complaint({"zzzz"}), "unknown command 'zzzz'");
    EXPECT_EQ(complaint({"context", "ad"}), "unknown command 'ad'. Did you mean 'add'?");
    EXPECT_EQ(complaint({"pub", "s", "--cuont", "1"}),
              "unknown option '--cuont'. Did you mean '--count'?");
    EXPECT_EQ(complaint({"pub", "s", "--sever=u"}),
              "unknown option '--sever'. Did you mean '--server'?");
    EXPECT_EQ(complaint({"pub", "s", "-5"}), ""); // A number.
    EXPECT_EQ(complaint({"pub", "s", "-x"}),
              "unknown option '-x'. A text that begins with a dash goes behind --");
    EXPECT_EQ(complaint({"pub"}), "<subject> is missing: where it goes");
    EXPECT_EQ(complaint({"pub", "--frobnicate"}),
              "unknown option '--frobnicate'. A text that begins with a dash goes behind --");
    EXPECT_EQ(complaint({"pub", "s", "hello", "world"}),
              "'world' is one word too many. What has blanks is quoted: 'hello world'");
    EXPECT_EQ(complaint({"pub", "s", "--count", "many"}), "--count: 'many' is not a whole number");
    EXPECT_EQ(complaint({"pub", "s", "--mode", "often"}),
              "--mode: 'often' is not one of eof or newline");
    EXPECT_EQ(complaint({"pub", "s", "--count"}), "--count needs a value behind it");
    EXPECT_EQ(complaint({"sub", "s", "--raw=maybe"}), "a switch takes no value but true and false");
    EXPECT_EQ(complaint({"sub", "s", "--raw=false"}), "");
}

TEST(Arguments, WithoutACommandAreTheRootsOwn) {
    sample values;
    const auto tree = values.tree();
    const auto line = parse_arguments(tree, {"--json"});
    EXPECT_EQ(line.complaint, "");
    EXPECT_EQ(line.path_text(), "pipit");
    EXPECT_FALSE(line.chosen().run);
}

} // namespace
