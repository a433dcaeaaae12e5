// SPDX-License-Identifier: Apache-2.0
#include <cli/arguments.hpp>

#include <cli/secrets.hpp>

#include <pipit/base/nearest_name.hpp>
#include <pipit/base/url_list.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace pipit::cli {
namespace {

/// Why parsing ended; thrown through CLI11 by our own callbacks.
struct wrong_value {
    std::string complaint;
};

std::string shown_name(const option& each) {
    const auto name = std::string(each.all_names().back());
    return each.is_argument() ? "<" + name + ">" : name;
}

std::string list_of(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
        text += words[i];
    }
    return text;
}

/// What was typed behind an option, to be shown. That of a URL may have a token without a colon.
std::string shown_text(const option& each, const std::string& text) {
    if (each.hides == secrecy::whole) return "this";
    return quoted_unless_secret(each.hides == secrecy::urls ? urls_without_users(text) : text);
}

/// What is wrong with it, behind the option's name.
std::optional<std::string> give(const option& each, const std::string& text) {
    const auto& words = each.words;
    if (!words.empty() && std::find(words.begin(), words.end(), text) == words.end()) {
        return "is not one of " + list_of(words);
    }
    if (each.hides == secrecy::file_of_secret && looks_secret(text)) {
        return "is a secret itself; name a file that holds it";
    }
    return each.set(text);
}

void take(const option& each, const std::string& text) {
    if (const auto complaint = give(each, text)) {
        throw wrong_value{shown_name(each) + ": " + shown_text(each, text) + ' ' + *complaint};
    }
}

void add_switch(CLI::App& app, const option& each) {
    app.add_flag_function(
        each.names, [&each](std::int64_t times) { take(each, times > 0 ? "true" : "false"); });
}

void add_option(CLI::App& app, const option& each) {
    if (!each.takes_value()) {
        add_switch(app, each);
        return;
    }
    auto* const added = app.add_option(each.names, [&each](const CLI::results_t& values) {
        for (const auto& value : values) take(each, value);
        return true;
    });
    added->type_name("");
    added->allow_extra_args(false);
    added->expected(1);
    added->multi_option_policy(each.repeats ? CLI::MultiOptionPolicy::TakeAll
                                            : CLI::MultiOptionPolicy::TakeLast);
}

void fill(CLI::App& app, const command& from) {
    app.set_help_flag();
    app.allow_extras();
    app.require_subcommand(0, 1);
    for (const auto& each : from.options) add_option(app, each);
    for (const auto& each : from.arguments) {
        // CLI11 would part `[a,b]` where several are taken: those come from what it leaves over.
        if (!each.repeats) add_option(app, each);
    }
    for (const auto& each : from.commands) {
        auto* const child = app.add_subcommand(each.name);
        for (const auto& alias : each.aliases) child->alias(alias);
        child->fallthrough();
        fill(*child, each);
    }
}

/// Names of all options that may be given behind this path.
std::vector<std::string_view> option_names(const std::vector<const command*>& path) {
    std::vector<std::string_view> names;
    for (const auto* each : path) {
        for (const auto& option : each->options) {
            for (const auto name : option.all_names()) names.push_back(name);
        }
    }
    return names;
}

std::string meant(std::string_view nearest) {
    return nearest.empty() ? "" : ". Did you mean '" + std::string(nearest) + "'?";
}

/// `-c` of `-cSUA…`, which is all that may be shown.
std::string without_glued_secret(const std::string& name) {
    for (std::size_t offset = 1; offset < name.size(); ++offset) {
        if (looks_secret(std::string_view(name).substr(offset))) return name.substr(0, offset);
    }
    return name;
}

/// What is wrong with a word that nobody took.
std::string complaint_about(const std::string& word, const std::vector<const command*>& path) {
    if (word.size() > 1 && word.starts_with('-')) {
        const auto name = word.substr(0, word.find('='));
        // One letter is near to every other one.
        const auto nearest =
            name.size() > 2 ? nearest_name(name, option_names(path)) : std::string_view();
        const std::string hint = ". A text that begins with a dash goes behind --";
        return "unknown option '" + without_glued_secret(name) + "'" +
               (nearest.empty() ? hint : meant(nearest));
    }
    const auto& chosen = *path.back();
    if (chosen.commands.empty()) {
        return quoted_unless_secret(word) +
               " is one word too many. What has blanks is quoted: 'hello world'";
    }
    std::vector<std::string_view> names;
    for (const auto& each : chosen.commands) {
        names.push_back(each.name);
        names.insert(names.end(), each.aliases.begin(), each.aliases.end());
    }
    return "unknown command " + quoted_unless_secret(word) + meant(nearest_name(word, names));
}

std::string missing(const option& argument) {
    return "<" + argument.names + "> is missing: " + argument.help;
}

/// CLI11 says `--count: 1 required  missing`.
std::string missing_value(const std::string& said) {
    return said.substr(0, said.find(':')) + " needs a value behind it";
}

/// Gives what CLI11 left over to the argument that takes several, and answers what is wrong.
std::string take_rest(const CLI::App& app, std::vector<std::string> rest, const parsed_line& line) {
    const bool has_dashes = std::find(rest.begin(), rest.end(), "--") != rest.end();
    rest.erase(std::remove(rest.begin(), rest.end(), "--"), rest.end());
    for (const auto& each : line.chosen().arguments) {
        if (!each.repeats) {
            const bool is_missing = each.required && app.get_option(each.names)->count() == 0;
            if (!is_missing) continue;
            // What was mistyped comes before what is missing.
            const bool is_option = !rest.empty() && rest[0].starts_with('-') && !has_dashes;
            return is_option ? complaint_about(rest[0], line.path) : missing(each);
        }
        if (each.required && rest.empty()) return missing(each);
        while (!rest.empty() && (rest.front().size() < 2 || rest.front().front() != '-')) {
            take(each, rest.front());
            rest.erase(rest.begin());
        }
    }
    return rest.empty() ? std::string() : complaint_about(rest.front(), line.path);
}

} // namespace

std::string parsed_line::path_text() const {
    std::string text;
    for (const auto* each : path) text += (text.empty() ? "" : " ") + each->name;
    return text;
}

parsed_line parse_arguments(const command& root, const std::vector<std::string>& words) {
    CLI::App app;
    fill(app, root);
    parsed_line line{.path = {&root}, .complaint = {}};
    const auto* deepest = &app;
    const auto follow = [&] {
        while (!deepest->get_subcommands().empty()) {
            deepest = deepest->get_subcommands().front();
            line.path.push_back(line.chosen().find(deepest->get_name()));
        }
    };
    try {
        app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
        follow();
        line.complaint = take_rest(*deepest, app.remaining(true), line);
    } catch (const wrong_value& wrong) {
        line.complaint = wrong.complaint;
    } catch (const CLI::ArgumentMismatch& wrong) {
        line.complaint = missing_value(wrong.what());
    } catch (const CLI::ParseError& wrong) {
        line.complaint = wrong.what();
    } catch (const std::invalid_argument&) { // What CLI11 does not catch itself.
        line.complaint = "a switch takes no value but true and false";
    }
    follow();
    return line;
}

} // namespace pipit::cli
