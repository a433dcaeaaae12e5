// SPDX-License-Identifier: Apache-2.0
#include <commands/commands.hpp>

#include <cli/completion.hpp>
#include <cli/help_text.hpp>

#include <pipit/protocol/subject.hpp>
#include <pipit/server/command_line.hpp>
#include <pipit/server/version.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

namespace pipit::cli {
namespace {

struct help_options {
    std::vector<std::string> words;
    bool manual = false;
    std::string folder;
    std::string shell;
};

/// Writes the manual pages of all commands but `server`, whose page is that of the program of that
/// name.
int write_pages(const program& with, const command& root, const std::string& folder) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    bool written = !failed;
    visit_commands(root, [&](const std::string& path, const command& each) {
        if (path == "pipit server") return;
        const auto shared = &each == &root ? std::vector<option>() : root.options;
        std::ofstream page(std::filesystem::path(folder) / manual_file_name(path),
                           std::ios::binary);
        page << manual_page(path, each, shared, std::string(server::pipit_version()));
        written = written && page.flush().good();
    });
    return written ? exit_code::done : with.fail("cannot write manual pages to " + folder);
}

int help(program& with, const command& root, const help_options& asked) {
    if (!asked.folder.empty()) return write_pages(with, root, asked.folder);
    std::vector<const command*> path = {&root};
    auto name = root.name;
    for (const auto& word : asked.words) {
        const auto* const found = path.back()->find(word);
        if (!found) return with.fail_usage("there is no command '" + name + " " + word + "'");
        path.push_back(found);
        name += ' ' + found->name;
    }
    if (!asked.manual) {
        with.print(help_text(path, with.coloured()));
    } else {
        const auto shared = path.size() == 1 ? std::vector<option>() : root.options;
        with.print(manual_page(name, *path.back(), shared, std::string(server::pipit_version())));
    }
    return exit_code::done;
}

/// A duration that is longer than 0.
setter into_positive(std::optional<nanoseconds>& target) {
    return [set = into(target), &target](std::string_view text) {
        auto complaint = set(text);
        if (!complaint && *target <= nanoseconds::zero()) complaint = "is not longer than 0";
        return complaint;
    };
}

/// URLs of servers, with commas.
setter into_servers(std::optional<std::string>& target) {
    return [&target](std::string_view text) {
        auto complaint = complaint_about_servers(text);
        if (!complaint) target = std::string(text);
        return complaint;
    };
}

setter into_inbox_prefix(std::optional<std::string>& target) {
    return [&target](std::string_view text) -> std::optional<std::string> {
        if (!protocol::is_valid_publish_subject(text)) {
            return "cannot begin a subject: it has no blanks, wildcards or empty tokens";
        }
        target = std::string(text);
        return std::nullopt;
    };
}

/// Where to connect, and as whom.
std::vector<option> sign_in_options(connection_settings& flags) {
    return {
        {.names = "-s,--server",
         .value = "URL",
         .help = "the servers, with commas: nats://HOST:4222",
         .set = into_servers(flags.servers),
         .hides = secrecy::urls,
         .environment = "NATS_URL"},
        {.names = "--user",
         .value = "USER",
         .help = "who you are; without --password a token",
         .set = into(flags.user),
         .hides = secrecy::whole,
         .environment = "NATS_USER"},
        {.names = "--password",
         .value = "PASSWORD",
         .help = "your password",
         .set = into(flags.password),
         .hides = secrecy::whole,
         .environment = "NATS_PASSWORD"},
        {.names = "--token",
         .value = "TOKEN",
         .help = "a token",
         .set = into(flags.token),
         .hides = secrecy::whole,
         .environment = "NATS_TOKEN"},
        {.names = "--creds",
         .value = "FILE",
         .help = "a file of credentials: JWT and seed",
         .set = into(flags.creds),
         .hides = secrecy::file_of_secret,
         .offers = completes::file,
         .environment = "NATS_CREDS"},
        {.names = "--nkey",
         .value = "FILE",
         .help = "a file that holds a seed",
         .set = into(flags.nkey),
         .hides = secrecy::file_of_secret,
         .offers = completes::file,
         .environment = "NATS_NKEY"},
    };
}

std::vector<option> tls_options(connection_settings& flags) {
    return {
        {.names = "--tlscert",
         .value = "FILE",
         .help = "your certificate, for servers that ask for one",
         .set = into(flags.tls_certificate),
         .offers = completes::file,
         .environment = "NATS_CERT"},
        {.names = "--tlskey",
         .value = "FILE",
         .help = "its key",
         .set = into(flags.tls_key),
         .offers = completes::file,
         .environment = "NATS_KEY"},
        {.names = "--tlsca",
         .value = "FILE",
         .help = "the authority of the server's certificate, instead of the system's",
         .set = into(flags.tls_authority),
         .offers = completes::file,
         .environment = "NATS_CA"},
        {.names = "--tlsfirst",
         .help = "the server begins with TLS (handshake_first)",
         .set = into(flags.tls_first)},
    };
}

std::vector<option> other_options(program& with) {
    auto& flags = with.flags;
    return {
        {.names = "--context",
         .value = "NAME",
         .help = "servers and credentials kept under this name",
         .set = into(flags.context),
         .offers = completes::context,
         .environment = "NATS_CONTEXT"},
        {.names = "--no-context",
         .help = "not those of the selected context",
         .set = into(with.no_context)},
        {.names = "--timeout",
         .value = "DURATION",
         .help = "how long to wait for a server or an answer; 5s when it is not said",
         .set = into_positive(flags.timeout),
         .environment = "NATS_TIMEOUT"},
        {.names = "--connection-name",
         .value = "NAME",
         .help = "what the server calls this connection",
         .set = into(flags.connection_name)},
        {.names = "--inbox-prefix",
         .value = "PREFIX",
         .help = "what inboxes begin with, instead of _INBOX",
         .set = into_inbox_prefix(flags.inbox_prefix),
         .environment = "NATS_INBOX_PREFIX"},
        {.names = "-j,--json", .help = "lines of JSON, for programs", .set = into(with.json)},
        {.names = "--no-color",
         .help = "no colours",
         .set = into(with.no_colour),
         .environment = "NO_COLOR"},
        {.names = "-h,--help", .help = "show this", .set = into(with.help)},
        {.names = "--version", .help = "show the version", .set = into(with.version)},
    };
}

std::vector<option> global_options(program& with) {
    auto options = sign_in_options(with.flags);
    append(options, tls_options(with.flags));
    append(options, other_options(with));
    return options;
}

command help_command(program& with, const std::shared_ptr<command>& root) {
    const auto asked = std::make_shared<help_options>();
    command shown{.name = "help", .summary = "Show the help of a command"};
    shown.arguments = {{.names = "commands",
                        .help = "its name",
                        .set = into(asked->words),
                        .repeats = true,
                        .offers = completes::command}};
    shown.options = {
        {.names = "--man", .help = "as a manual page, for man -l -", .set = into(asked->manual)},
        {.names = "--man-folder",
         .value = "FOLDER",
         .help = "write all manual pages there",
         .set = into(asked->folder),
         .offers = completes::folder}};
    shown.examples = {{"pipit help context add", "One command"},
                      {"pipit help pub --man | man -l -", "As a manual page"}};
    // The root outlives its own commands; a counted pointer here would be a circle.
    shown.run = [&with, asked, root = root.get()] { return help(with, *root, *asked); };
    return shown;
}

/// What a server takes, for the shells.
bare_command server_options() {
    constexpr std::string_view files =
        "--config,-c --log,-l --pid,-P --tlscert --tlskey --tlscacert";
    constexpr std::string_view folders = "--ports_file_dir --store_dir,-sd";
    bare_command all{.name = "server"};
    for (auto& [names, takes_value] : server::known_flags()) {
        const auto offers = files.find(names) != std::string_view::npos     ? completes::file
                            : folders.find(names) != std::string_view::npos ? completes::folder
                                                                            : completes::nothing;
        all.options.push_back({.names = std::move(names),
                               .value = takes_value ? "VALUE" : "",
                               .help = {},
                               .set = {},
                               .offers = offers});
    }
    return all;
}

command completion_command(program& with, const std::shared_ptr<command>& root) {
    const auto asked = std::make_shared<help_options>();
    command made{.name = "completion",
                 .summary = "Print a script that makes a shell complete this program's words"};
    made.arguments = {{.names = "shell",
                       .help = "bash, zsh or fish",
                       .set = into(asked->shell),
                       .required = true,
                       .words = {"bash", "zsh", "fish"}}};
    made.examples = {{"source <(pipit completion bash)", "In ~/.bashrc, and so in ~/.zshrc"},
                     {"pipit completion fish > ~/.config/fish/completions/pipit.fish", "For fish"}};
    made.run = [&with, asked, root = root.get()] {
        const auto bare = server_options();
        with.print(asked->shell == "bash"  ? bash_completion(*root, bare)
                   : asked->shell == "zsh" ? zsh_completion(*root, bare)
                                           : fish_completion(*root, bare));
        return exit_code::done;
    };
    return made;
}

} // namespace

std::shared_ptr<const command> command_tree_of(program& with) {
    auto root = std::make_shared<command>();
    root->name = "pipit";
    root->summary = "Speak with NATS servers, and run one";
    root->description = "Options may stand anywhere. What they say goes before the environment, "
                        "and that before the context; $NATS_URL and the like are named at each.\n\n"
                        "Ends with 0 when all was done, 1 when something failed, 2 when the "
                        "command line is wrong, and 130 or 143 when a signal ended what was not "
                        "done. Messages go to the standard output; what is said about them goes to "
                        "the standard error.";
    root->options = global_options(with);
    root->commands = {pub_command(with),
                      sub_command(with),
                      request_command(with),
                      reply_command(with),
                      bench_command(with),
                      latency_command(with),
                      rtt_command(with),
                      top_command(with),
                      server_command(with),
                      context_command(with),
                      completion_command(with, root),
                      help_command(with, root)};
    root->examples = {
        {"pipit server -a 127.0.0.1", "Start a server on this machine"},
        {"pipit sub 'greet.*'", "See what is published"},
        {"pipit pub greet.joe hello", "Publish"},
        {"pipit reply greet 'hello, {{Request}}'", "Answer requests"},
        {"pipit request greet joe", "Ask"},
        {"pipit context add prod -s nats://prod:4222 --select", "Remember a server"},
    };
    return root;
}

} // namespace pipit::cli
