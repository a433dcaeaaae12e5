// SPDX-License-Identifier: Apache-2.0
#include <cli/completion.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace pipit::cli {
namespace {

/// A word in single quotes of a shell.
std::string quoted(std::string_view text) {
    std::string result = "'";
    for (const auto c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

/// `-H|--header|-n`, quoted where a pattern would mean more: names are letters and dashes.
std::string alternatives(const std::set<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : "|") + word;
    return text;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::vector<std::string> child_names(const command& parent) {
    std::vector<std::string> names;
    for (const auto& each : parent.commands) names.push_back(each.name);
    return names;
}

std::vector<std::string> option_names(const command& of) {
    std::vector<std::string> names;
    for (const auto& each : of.options) {
        for (const auto name : each.all_names()) names.emplace_back(name);
    }
    return names;
}

/// What all three scripts are made of: each option's names, by what its value may be.
struct value_kinds {
    std::set<std::string> all, files, folders, contexts;
    std::map<std::string, std::string> words; ///< By `path|name`.

    explicit value_kinds(const command& root) {
        visit_commands(root, [this](const std::string& path, const command& each) {
            for (const auto& option : each.options) add(path, option);
        });
    }

    void add(const std::string& path, const option& each) {
        if (!each.takes_value()) return;
        for (const auto name : each.all_names()) {
            const std::string text(name);
            all.insert(text);
            if (each.offers == completes::file) files.insert(text);
            if (each.offers == completes::folder) folders.insert(text);
            if (each.offers == completes::context) contexts.insert(text);
            if (!each.words.empty()) words[path + '|' + text] = joined(each.words);
        }
    }
};

/// The command that the words so far lead to, as shell code that bash and zsh share: it walks
/// `words[1 .. current - 1]` and sets `place`, and `skip` jumps over the values of options.
std::string walk(const command& root, const value_kinds& kinds) {
    std::string cases;
    visit_commands(root, [&](const std::string& path, const command& parent) {
        for (const auto& child : parent.commands) {
            std::string names = quoted(path + '|' + child.name);
            for (const auto& alias : child.aliases) names += '|' + quoted(path + '|' + alias);
            cases +=
                "            " + names + ") place=" + quoted(path + ' ' + child.name) + " ;;\n";
        }
    });
    return "        case \"$each\" in\n            " + alternatives(kinds.all) +
           ") skip=1; continue ;;\n        esac\n        case \"$place|$each\" in\n" + cases +
           "        esac\n";
}

/// Cases that set `commands` and `options` for each path: its own, and those of all above it.
std::string offers(const command& root) {
    std::string cases;
    std::map<std::string, std::string> options; // Of what was visited: parents come first.
    visit_commands(root, [&](const std::string& path, const command& each) {
        const auto above = options.find(path.substr(0, path.rfind(' ')));
        auto all = joined(option_names(each));
        if (above != options.end()) all += (all.empty() ? "" : " ") + above->second;
        cases += "        " + quoted(path) + ") commands=" + quoted(joined(child_names(each))) +
                 " options=" + quoted(all) + " ;;\n";
        options[path] = std::move(all);
    });
    return cases;
}

/// What an option takes, behind its command and behind all below that.
std::string word_cases(const value_kinds& kinds) {
    std::string cases;
    for (const auto& [where, words] : kinds.words) {
        const auto bar = where.find('|');
        const auto below = quoted(where.substr(0, bar) + ' ') + '*' + quoted(where.substr(bar));
        cases += "        " + quoted(where) + '|' + below + ") values=" + quoted(words) + " ;;\n";
    }
    return cases;
}

std::string argument_cases(const command& root) {
    std::string cases;
    visit_commands(root, [&](const std::string& path, const command& each) {
        for (const auto& argument : each.arguments) {
            if (argument.offers == completes::context) {
                cases += "        " + quoted(path) + ") contexts=yes ;;\n";
            } else if (argument.offers == completes::command) {
                cases += "        " + quoted(path) +
                         ") values=" + quoted(joined(child_names(root))) + " ;;\n";
            } else if (!argument.words.empty()) {
                cases += "        " + quoted(path) + ") values=" + quoted(joined(argument.words)) +
                         " ;;\n";
            }
        }
    });
    return cases;
}

/// How bash and zsh complete, as code.
struct shell_actions {
    const char* files;
    const char* folders;
    const char* contexts;
    const char* values;     ///< Those in the variable.
    const char* first_word; ///< Behind the program's name.
    const char* is_second;  ///< Whether the word to complete is the one behind that.
    std::string (*offer)(const std::string& words);
};

std::string offer_in_bash(const std::string& words) {
    return "COMPREPLY=($(compgen -W " + quoted(words) + " -- \"$word\"))";
}
std::string offer_in_zsh(const std::string& words) { return "compadd -- " + words; }

constexpr shell_actions bash_actions = {
    .files = "compopt -o filenames 2>/dev/null; _pipit_files -f",
    .folders = "compopt -o filenames 2>/dev/null; _pipit_files -d",
    .contexts = "_pipit_offer < <(pipit context ls --names 2>/dev/null)",
    .values = "COMPREPLY=($(compgen -W \"$values\" -- \"$word\"))",
    .first_word = "${COMP_WORDS[1]}",
    .is_second = "[ \"$COMP_CWORD\" = 2 ]",
    .offer = offer_in_bash,
};
constexpr shell_actions zsh_actions = {
    .files = "_files",
    .folders = "_files -/",
    .contexts = "compadd -- ${(f)\"$(pipit context ls --names 2>/dev/null)\"}",
    .values = "compadd -- ${(s: :)values}",
    .first_word = "${words[2]}",
    .is_second = "[ \"$CURRENT\" = 3 ]",
    .offer = offer_in_zsh,
};

/// The end of the function where `$previous` is one of these, if there are any.
std::string end_behind(const std::set<std::string>& options, const std::string& action = {}) {
    if (options.empty()) return {};
    return "        " + alternatives(options) + ") " + action + (action.empty() ? "" : "; ") +
           "return ;;\n";
}

/// Offers what may stand behind `$previous` and at `$place`: the end of both shells' functions.
std::string offer_at_place(const command& root, const value_kinds& kinds,
                           const shell_actions& shell) {
    return "    case \"$previous\" in\n" + end_behind(kinds.files, shell.files) +
           end_behind(kinds.folders, shell.folders) + end_behind(kinds.contexts, shell.contexts) +
           "    esac\n"
           "    case \"$place|$previous\" in\n" +
           word_cases(kinds) +
           "    esac\n"
           "    if [ -z \"$values\" ]; then\n"
           "        case \"$previous\" in\n" +
           end_behind(kinds.all) +
           "        esac\n"
           "        case \"$place\" in\n" +
           offers(root) +
           "        esac\n"
           "        case \"$place\" in\n" +
           argument_cases(root) +
           "        esac\n"
           "        case \"$word\" in -*) values=$options contexts= ;; "
           "*) values=\"$commands $values\" ;; esac\n"
           "    fi\n"
           "    if [ -n \"$contexts\" ]; then\n        " +
           shell.contexts + "\n    else\n        " + shell.values + "\n    fi\n}\n";
}

/// Where another parser reads the options, which it does behind its first word: those are offered,
/// and no others. It takes one dash for two, and no command behind an option.
std::string bare_place(const command& root, const bare_command& bare, const shell_actions& shell) {
    if (bare.name.empty()) return {};
    std::set<std::string> files, folders, others;
    std::vector<std::string> names;
    for (const auto& option : bare.options) {
        auto& taken = option.offers == completes::file     ? files
                      : option.offers == completes::folder ? folders
                                                           : others;
        for (const auto name : option.all_names()) {
            names.emplace_back(name);
            if (!option.takes_value()) continue;
            taken.emplace(name);
            if (name.starts_with("--")) taken.emplace(name.substr(1));
        }
    }
    return "    if [ \"$place\" = " + quoted(root.name + ' ' + bare.name) + " ] && [ \"" +
           shell.first_word + "\" = " + quoted(bare.name) +
           " ]; then\n        case \"$previous\" in\n" + end_behind(files, shell.files) +
           end_behind(folders, shell.folders) + end_behind(others) +
           "        esac\n        case \"$word\" in -*) " + shell.offer(joined(names)) +
           " ;; *) if " + shell.is_second + "; then " +
           shell.offer(joined(child_names(*root.find(bare.name)))) +
           "; fi ;; esac\n        return\n    fi\n";
}

/// What fish asks to know whether another parser reads the options here, and whether one of its
/// commands may follow.
std::string fish_bare_functions(const command& root, const bare_command& bare) {
    if (bare.name.empty()) return {};
    std::string text = "function __pipit_words\n"
                       "    # Without variables in front of the program.\n"
                       "    string match -vr -- '^\\w+=' (commandline -opc)\n"
                       "end\n"
                       "function __pipit_is_bare\n"
                       "    set -l words (__pipit_words)\n"
                       "    test (__pipit_path) = ";
    text += quoted(root.name + ' ' + bare.name);
    text += "; and test \"$words[2]\" = ";
    text += quoted(bare.name);
    text += "\nend\n"
            "function __pipit_is_late\n"
            "    __pipit_is_bare; and test (count (__pipit_words)) -gt 2\n"
            "end\n";
    return text;
}

/// What fish asks to know whether something belongs here.
std::string fish_condition(const std::string& path) {
    return "test (__pipit_path) = " + quoted(path);
}

constexpr auto fish_contexts = "'(pipit context ls --names 2>/dev/null)'";

/// The same for an option, which may stand behind the commands below its own, too.
std::string fish_option_condition(const std::string& path) {
    return "string match -qr -- " + quoted('^' + path + "( |$)") + " (__pipit_path)";
}

std::string fish_option(const std::string& condition, const option& each) {
    std::string line = "complete -c pipit -n " + quoted(condition);
    for (const auto name : each.all_names()) {
        line += name.starts_with("--") ? " -l " + std::string(name.substr(2))
                : name.size() > 2      ? " -o " + std::string(name.substr(1))
                                       : " -s " + std::string(name.substr(1));
    }
    if (each.takes_value()) {
        if (each.offers == completes::file) {
            line += " -r -F";
        } else if (each.offers == completes::folder) {
            line += " -x -a '(__fish_complete_directories)'";
        } else if (each.offers == completes::context) {
            line += std::string(" -x -a ") + fish_contexts;
        } else {
            line += each.words.empty() ? " -x" : " -x -a " + quoted(joined(each.words));
        }
    }
    if (!each.help.empty()) line += " -d " + quoted(each.help);
    return line + '\n';
}

/// What the words so far lead to, as `__pipit_path` prints it.
std::string fish_path_function(const command& root) {
    std::string cases, values;
    visit_commands(root, [&](const std::string& path, const command& parent) {
        for (const auto& child : parent.commands) {
            std::string names = quoted(path + '|' + child.name);
            for (const auto& alias : child.aliases) names += ' ' + quoted(path + '|' + alias);
            cases += "            case " + names + "\n                set path " +
                     quoted(path + ' ' + child.name) + '\n';
        }
    });
    for (const auto& name : value_kinds(root).all) values += ' ' + name;
    std::string text = "# fish completion for pipit; made by: pipit completion fish\n"
                       "function __pipit_path\n"
                       "    set -l path pipit\n"
                       "    set -l skip\n"
                       "    for each in (commandline -opc)[2..-1]\n"
                       "        if set -q skip[1]\n"
                       "            set -e skip[1]\n"
                       "            continue\n"
                       "        end\n"
                       "        if contains -- $each";
    text += values;
    text += "\n            set skip 1\n"
            "            continue\n"
            "        end\n"
            "        switch \"$path|$each\"\n";
    text += cases;
    text += "        end\n"
            "    end\n"
            "    echo $path\n"
            "end\n";
    return text;
}

/// What stands for an argument; nothing when anything may.
std::string fish_argument(const command& root, const option& argument) {
    if (argument.offers == completes::context) return fish_contexts;
    if (argument.offers == completes::command) return quoted(joined(child_names(root)));
    return argument.words.empty() ? std::string() : quoted(joined(argument.words));
}

std::string fish_words(const std::string& condition, const std::string& words) {
    return words.empty() ? "" : "complete -c pipit -n " + quoted(condition) + " -a " + words + '\n';
}

} // namespace

std::string bash_completion(const command& root, const bare_command& bare) {
    const value_kinds kinds(root);
    return "# bash completion for pipit; made by: pipit completion bash\n"
           "# Offers lines as they are: a context or a file may have any name.\n"
           "_pipit_offer() {\n"
           "    local line shown\n"
           "    while IFS= read -r line; do\n"
           "        printf -v shown %q \"$line\"\n"
           "        # Behind an open quote it would be read as commands.\n"
           "        case \"$shown\" in \\$\\'*) continue ;; esac\n"
           "        case \"$line\" in \"$word\"*) COMPREPLY+=(\"$shown\"); continue ;; esac\n"
           "        case \"$shown\" in \"$word\"*) COMPREPLY+=(\"$shown\") ;; esac\n"
           "    done\n"
           "}\n"
           "_pipit_files() {\n"
           "    local line\n"
           "    while IFS= read -r line; do COMPREPLY+=(\"$line\"); done "
           "< <(compgen \"$1\" -- \"$word\")\n"
           "}\n"
           "_pipit() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    local place=pipit skip= each i commands= options= values= contexts=\n"
           "    COMPREPLY=()\n"
           "    # --name=value comes as three words.\n"
           "    if [ \"$word\" = = ]; then word=; "
           "elif [ \"$previous\" = = ]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        each=${COMP_WORDS[i]}\n"
           "        [ \"$each\" != = ] || { skip=1; continue; }\n"
           "        if [ -n \"$skip\" ]; then skip=; continue; fi\n" +
           walk(root, kinds) + "    done\n" + bare_place(root, bare, bash_actions) +
           offer_at_place(root, kinds, bash_actions) + "complete -F _pipit pipit\n";
}

std::string zsh_completion(const command& root, const bare_command& bare) {
    const value_kinds kinds(root);
    return "#compdef pipit\n"
           "# zsh completion for pipit; made by: pipit completion zsh\n"
           "_pipit() {\n"
           "    local word=${words[CURRENT]} previous=${words[CURRENT-1]}\n"
           "    local place=pipit skip= each i commands= options= values= contexts=\n"
           "    for ((i = 2; i < CURRENT; i++)); do\n"
           "        each=${words[i]}\n"
           "        if [[ -n $skip ]]; then skip=; continue; fi\n" +
           walk(root, kinds) + "    done\n" + bare_place(root, bare, zsh_actions) +
           offer_at_place(root, kinds, zsh_actions) +
           "if [[ $funcstack[1] == _pipit ]]; then\n"
           "    _pipit \"$@\"\n"
           "else\n"
           "    # A ~/.zshrc without more has not switched completion on.\n"
           "    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }\n"
           "    compdef _pipit pipit\n"
           "fi\n";
}

std::string fish_completion(const command& root, const bare_command& bare) {
    auto text = fish_path_function(root);
    text += fish_bare_functions(root, bare);
    text += "complete -c pipit -f\n";
    const auto bare_path = root.name + ' ' + bare.name;
    const std::string for_all = bare.name.empty() ? "true" : "not __pipit_is_bare";
    for (const auto& option : bare.options) text += fish_option("__pipit_is_bare", option);
    visit_commands(root, [&](const std::string& path, const command& each) {
        const auto here =
            fish_condition(path) + (path == bare_path ? "; and not __pipit_is_late" : "");
        for (const auto& child : each.commands) {
            text += fish_words(here, quoted(child.name) + " -d " + quoted(child.summary));
        }
        for (const auto& option : each.options) {
            text += fish_option(&each == &root ? for_all : fish_option_condition(path), option);
        }
        for (const auto& argument : each.arguments) {
            text += fish_words(fish_condition(path), fish_argument(root, argument));
        }
    });
    return text;
}

} // namespace pipit::cli
