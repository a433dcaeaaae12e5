// SPDX-License-Identifier: Apache-2.0
#include <commands/commands.hpp>

#include <commands/connecting.hpp>
#include <commands/context_store.hpp>

#include <cli/message_text.hpp>

#include <pipit/base/url_list.hpp>

#include <cstdio>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace pipit::cli {
namespace {

constexpr std::size_t context_bytes_max = std::size_t{4} * 1024 * 1024;

struct context_options {
    std::string name;
    std::string description;
    bool select = false;
    bool force = false;
    bool names = false;
};
using asked_for = std::shared_ptr<context_options>;

int answer(const program& with, const result<>& done, const std::string& said) {
    if (!done) return with.fail(text_of(done.error()));
    if (!said.empty()) with.note(said);
    return exit_code::done;
}

int add(program& with, const context_options& asked) {
    const context_store store(with.variables);
    context_document document;
    const bool is_new = !store.exists(asked.name);
    if (!is_new) {
        auto loaded = store.load(asked.name);
        if (!loaded) return with.fail(text_of(loaded.error()));
        document = std::move(*loaded);
    }
    auto flags = with.flags;
    take_lone_user_for_token(flags);
    const std::pair<const char*, const std::optional<std::string>*> values[] = {
        {"url", &flags.servers},
        {"token", &flags.token},
        {"user", &flags.user},
        {"password", &flags.password},
        {"creds", &flags.creds},
        {"nkey", &flags.nkey},
        {"inbox_prefix", &flags.inbox_prefix},
        {"cert", &flags.tls_certificate},
        {"key", &flags.tls_key},
        {"ca", &flags.tls_authority},
    };
    for (const auto& [key, value] : values) {
        if (*value) document.set(key, **value);
    }
    if (flags.tls_first) document.set_flag("tls_first");
    if (!asked.description.empty()) document.set("description", asked.description);
    if (document.get("url").empty() && document.get("nsc").empty()) {
        document.set("url", "nats://127.0.0.1:4222");
    }
    if (const auto saved = store.save(asked.name, document); !saved) {
        return with.fail(text_of(saved.error()));
    }
    if (asked.select) {
        if (const auto selected = store.select(asked.name); !selected) {
            return with.fail(text_of(selected.error()));
        }
    }
    with.note(std::string(is_new ? "Added" : "Changed") + " context '" + asked.name + "' in " +
              store.path(asked.name));
    return exit_code::done;
}

int list(program& with, const context_options& asked) {
    const context_store store(with.variables);
    const auto names = store.names();
    if (!names) return with.fail(text_of(names.error()));
    int code = exit_code::done;
    const auto selected = asked.names ? result<std::string>() : store.selected();
    if (!selected) code = with.fail(text_of(selected.error()));
    table drawn{.columns = {{"Name"}, {"Selected"}, {"Servers"}, {"Description"}}, .rows = {}};
    std::string lines;
    for (const auto& name : *names) {
        if (asked.names) {
            with.print(name + '\n');
            continue;
        }
        const auto document = store.load(name);
        if (!document) {
            code = with.fail(text_of(document.error()));
            continue;
        }
        lines += (lines.empty() ? "" : ",") + document->to_line(name);
        drawn.rows.push_back({name, selected && name == *selected ? "*" : "",
                              urls_without_users(document->get("url")),
                              document->get("description")});
    }
    if (asked.names) return exit_code::done;
    if (with.json) {
        with.print("[" + lines + "]\n");
    } else if (names->empty()) {
        with.note("There is no context; make one with: pipit context add NAME --server URL");
    } else {
        with.print_table(drawn);
    }
    return code;
}

/// The name that was said, or the selected one.
result<std::string> name_or_selected(const context_store& store, const context_options& asked) {
    if (!asked.name.empty()) return asked.name;
    return store.selected();
}

int show(program& with, const context_options& asked) {
    const context_store store(with.variables);
    const auto chosen = name_or_selected(store, asked);
    if (!chosen) return with.fail(text_of(chosen.error()));
    const auto& name = *chosen;
    if (name.empty())
        return with.fail("no context is selected; name one, or: pipit context select NAME");
    const auto document = store.load(name);
    if (!document) return with.fail(text_of(document.error()));
    if (with.json) {
        with.print(document->to_line(name) + '\n');
        return exit_code::done;
    }
    table drawn{.columns = {{"What"}, {"Value"}}, .rows = {{"name", name}}};
    for (const auto* key : {"description", "url", "user", "password", "token", "creds", "nkey",
                            "nsc", "user_jwt", "user_seed", "inbox_prefix", "cert", "key", "ca",
                            "jetstream_domain", "jetstream_api_prefix", "socks_proxy"}) {
        const auto value = document->get(key);
        if (value.empty()) continue;
        drawn.rows.push_back({key, shown_value(key, value)});
    }
    const auto selected = store.selected();
    drawn.rows.push_back({"selected", !selected           ? text_of(selected.error())
                                      : *selected == name ? "yes"
                                                          : "no"});
    drawn.rows.push_back({"file", store.path(name)});
    with.print_table(drawn);
    return exit_code::done;
}

/// Runs the editor on this terminal and waits for it.
int run_editor(const std::string& editor, const std::string& path) {
    // As git does: the variable may hold options.
    std::string script = editor + " \"$1\"", file = path;
    std::string shell = "sh", flag = "-c", zero = "pipit";
    char* const words[] = {shell.data(), flag.data(), script.data(),
                           zero.data(),  file.data(), nullptr};
    ::pid_t child = 0;
    if (::posix_spawnp(&child, "sh", nullptr, nullptr, words, environ) != 0) return -1;
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int edit(program& with, const context_options& asked) {
    const context_store store(with.variables);
    const auto chosen = name_or_selected(store, asked);
    if (!chosen) return with.fail(text_of(chosen.error()));
    const auto& name = *chosen;
    if (name.empty()) return with.fail("no context is selected; name the one to edit");
    if (!store.exists(name)) return with.fail(text_of(unknown_context(store, name)));
    // As it is: what is broken is mended here, too.
    const auto before = read_file(store.path(name), context_bytes_max);
    if (!before) return with.fail(text_of(before.error()));
    auto editor = with.variables("VISUAL").value_or("");
    if (editor.empty()) editor = with.variables("EDITOR").value_or("");
    if (editor.empty()) editor = "vi";
    const auto copy = store.path(name) + ".edited" + std::to_string(::getpid());
    const auto unlink_copy = [&] { ::unlink(copy.c_str()); };
    if (const auto written = write_private_file(copy, *before + '\n'); !written) {
        return with.fail(text_of(written.error()));
    }
    if (const int ended = run_editor(editor, copy); ended != 0) {
        unlink_copy();
        return with.fail("'" + editor + "' ended with " + std::to_string(ended) +
                         "; nothing was changed. $EDITOR says which editor is used");
    }
    const auto text = read_file(copy, context_bytes_max);
    unlink_copy();
    if (!text) return with.fail(text_of(text.error()));
    const auto edited = context_document::parse(*text);
    if (!edited) return with.fail(text_of(edited.error()) + "; nothing was changed");
    return answer(with, store.save(name, *edited), "Changed context '" + name + "'");
}

int remove(program& with, const context_options& asked) {
    const context_store store(with.variables);
    if (!store.exists(asked.name)) return with.fail(text_of(unknown_context(store, asked.name)));
    if (!asked.force) {
        if (::isatty(STDIN_FILENO) != 1) return with.fail_usage("without a terminal, say --force");
        std::fprintf(stderr, "Remove context '%s'? [y/N] ", safe_for_terminal(asked.name).c_str());
        const int typed = std::getchar();
        if (typed != 'y' && typed != 'Y') return exit_code::failed;
    }
    return answer(with, store.remove(asked.name), "Removed context '" + asked.name + "'");
}

int select(program& with, const context_options& asked) {
    const context_store store(with.variables);
    if (asked.name.empty()) {
        const auto selected = store.selected();
        if (!selected) return with.fail(text_of(selected.error()));
        if (selected->empty()) return with.fail("no context is selected; name the one to select");
        with.print(*selected + '\n');
        return exit_code::done;
    }
    return answer(with, store.select(asked.name), "Selected context '" + asked.name + "'");
}

int select_previous(program& with) {
    const context_store store(with.variables);
    const auto previous = store.previous();
    if (!previous) return with.fail(text_of(previous.error()));
    if (previous->empty()) return with.fail("no other context was selected before");
    return answer(with, store.select(*previous), "Selected context '" + *previous + "'");
}

option name_argument(context_options& asked, bool required) {
    return {.names = "name",
            .help = required ? "the context's name"
                             : "the context's name; the selected one when it is not said",
            .set = into(asked.name),
            .required = required,
            .offers = completes::context};
}

command add_command(program& with, const asked_for& asked) {
    command added{
        .name = "add", .aliases = {"save", "create"}, .summary = "Make a context, or change one"};
    added.description =
        "Keeps --server, --user, --password, --token, --creds, --nkey, --inbox-prefix, --tlscert, "
        "--tlskey, --tlsca and --tlsfirst as they are given here. --creds may also be env://NAME, "
        "nsc://OPERATOR/ACCOUNT/USER or data:;base64,….";
    added.arguments = {
        {.names = "name", .help = "its name", .set = into(asked->name), .required = true}};
    added.options = {{.names = "--description",
                      .value = "TEXT",
                      .help = "what it is for",
                      .set = into(asked->description)},
                     {.names = "--select", .help = "select it", .set = into(asked->select)}};
    added.examples = {
        {"pipit context add prod -s nats://prod:4222 --creds ~/prod.creds --select", "And use it"}};
    added.run = [&with, asked] { return add(with, *asked); };
    return added;
}

} // namespace

command context_command(program& with) {
    const auto asked = std::make_shared<context_options>();
    command selected{
        .name = "select", .aliases = {"switch", "set"}, .summary = "Use a context from now on"};
    selected.description = "Without a name it shows the selected one.";
    selected.arguments = {name_argument(*asked, false)};
    selected.run = [&with, asked] { return select(with, *asked); };

    command unselected{.name = "unselect", .summary = "Use no context from now on"};
    unselected.run = [&with] {
        return answer(with, context_store(with.variables).select(""), "No context is selected");
    };

    command previous{.name = "previous",
                     .summary = "Go back to the context that was selected before"};
    previous.run = [&with] { return select_previous(with); };

    command listed{.name = "ls", .aliases = {"list"}, .summary = "List the contexts"};
    listed.options = {{.names = "--names", .help = "only their names", .set = into(asked->names)}};
    listed.run = [&with, asked] { return list(with, *asked); };

    command shown{.name = "show",
                  .aliases = {"info", "view"},
                  .summary = "Show a context, without its secrets"};
    shown.arguments = {name_argument(*asked, false)};
    shown.run = [&with, asked] { return show(with, *asked); };

    command edited{.name = "edit", .aliases = {"vi"}, .summary = "Edit a context with $EDITOR"};
    edited.arguments = {name_argument(*asked, false)};
    edited.run = [&with, asked] { return edit(with, *asked); };

    command removed{.name = "rm", .aliases = {"remove"}, .summary = "Remove a context"};
    removed.arguments = {name_argument(*asked, true)};
    removed.options = {{.names = "-f,--force", .help = "do not ask", .set = into(asked->force)}};
    removed.run = [&with, asked] { return remove(with, *asked); };

    command context{.name = "context",
                    .aliases = {"ctx"},
                    .summary = "Keep servers and credentials under a name"};
    context.description =
        "These are the files of the nats tool, below $XDG_CONFIG_HOME/nats or ~/.config/nats; "
        "both tools use the same ones. What is said by an option or by the environment goes "
        "before what a context says.";
    context.commands = {add_command(with, asked), std::move(selected), std::move(unselected),
                        std::move(previous),      std::move(listed),   std::move(shown),
                        std::move(edited),        std::move(removed)};
    return context;
}

} // namespace pipit::cli
