// SPDX-License-Identifier: Apache-2.0
#include <cli/completion.hpp>
#include <cli/help_text.hpp>

#include <gtest/gtest.h>

namespace {

using namespace pipit::cli;

struct sample {
    std::string text;
    bool flag = false;

    command tree() {
        command add{.name = "add", .aliases = {"save"}, .summary = "Adds one"};
        add.description = "It is there afterwards.\n\n  an example\n\nAnd more words.";
        add.arguments = {
            {.names = "name", .help = "its name", .set = into(text), .required = true}};
        add.options = {{.names = "-f,--file",
                        .value = "PATH",
                        .help = "where it is kept",
                        .set = into(text),
                        .offers = completes::file},
                       {.names = "--mode",
                        .value = "MODE",
                        .help = "how",
                        .set = into(text),
                        .words = {"fast", "slow"}}};
        add.examples = {{"pipit context add one --file '.x'", "Adds it"}};
        command context{.name = "context", .summary = "Contexts"};
        context.commands = {add};
        command root{.name = "pipit", .summary = "Everything"};
        root.options = {{.names = "-s,--server",
                         .value = "URL",
                         .help = "the servers",
                         .set = into(text),
                         .environment = "NATS_URL"},
                        {.names = "--json", .help = "lines of JSON", .set = into(flag)}};
        root.commands = {context};
        return root;
    }
};

TEST(Help, ShowsEverythingThatCanBeTyped) {
    sample values;
    const auto root = values.tree();
    const auto* const context = root.find("context");
    const auto* const add = context->find("save");
    EXPECT_EQ(help_text({&root, context, add}, false),
              "Usage: pipit context add [option]… <name>\n"
              "\n"
              "Adds one.\n"
              "\n"
              "It is there afterwards.\n"
              "\n"
              "  an example\n"
              "\n"
              "And more words.\n"
              "\n"
              "Arguments:\n"
              "  name                      its name\n"
              "\n"
              "Options:\n"
              "  -f, --file PATH           where it is kept\n"
              "      --mode MODE           how: fast or slow\n"
              "\n"
              "Options of every command:\n"
              "  -s, --server URL          the servers ($NATS_URL)\n"
              "      --json                lines of JSON\n"
              "\n"
              "Examples:\n"
              "  pipit context add one --file '.x'         Adds it\n");
    const auto top = help_text({&root}, false);
    EXPECT_NE(top.find("Usage: pipit <command> [option]…\n"), std::string::npos);
    EXPECT_NE(top.find("  context                   Contexts\n"), std::string::npos);
}

TEST(Manual, EscapesWhatTroffWouldTake) {
    sample values;
    const auto root = values.tree();
    const auto* const add = root.find("context")->find("add");
    const auto page = manual_page("pipit context add", *add, root.options, "0.1.0");
    EXPECT_EQ(page.substr(0, page.find('\n')), ".TH PIPIT-CONTEXT-ADD 1 \"\" \"Pipit 0.1.0\"");
    EXPECT_NE(page.find(".TP\n.B \\-f, \\-\\-file PATH\nwhere it is kept.\n"), std::string::npos);
    EXPECT_NE(page.find(".SH OPTIONS OF EVERY COMMAND\n.TP\n.B \\-s, \\-\\-server URL\n"),
              std::string::npos);
    EXPECT_NE(page.find(".B pipit context add\n[option]… <name>\n"), std::string::npos);
    EXPECT_NE(page.find(".nf\n  an example\n"), std::string::npos);
    EXPECT_EQ(manual_file_name("pipit context add"), "pipit-context-add.1");
}

TEST(Completion, KnowsEveryCommandAndOption) {
    sample values;
    const auto root = values.tree();
    const bare_command bare{
        "context",
        {{.names = "--other", .value = "PATH", .help = {}, .set = {}, .offers = completes::file},
         {.names = "-XY", .help = {}, .set = {}}}};
    for (const auto& script :
         {bash_completion(root, bare), zsh_completion(root, bare), fish_completion(root, bare)}) {
        for (const auto* word :
             {"context", "add", "save", "mode", "fast slow", "server", "json", "other", "XY"}) {
            EXPECT_NE(script.find(word), std::string::npos) << word << "\n" << script;
        }
    }
}

} // namespace
