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

/// Cases that set `commands` and `options` for each path.
std::string offers(const command& root) {
    std::string cases;
    const auto shared = joined(option_names(root));
    visit_commands(root, [&](const std::string& path, const command& each) {
        const auto own = &each == &root ? "" : joined(option_names(each)) + ' ';
        cases += "        " + quoted(path) + ") commands=" + quoted(joined(child_names(each))) +
                 " options=" + quoted(own + shared) + " ;;\n";
    });
    return cases;
}

std::string word_cases(const value_kinds& kinds) {
    std::string cases;
    for (const auto& [where, words] : kinds.words) {
        cases += "        " + quoted(where) + ") values=" + quoted(words) + " ;;\n";
    }
    return cases;
}

std::string argument_cases(const command& root) {
    std::string cases;
    visit_commands(root, [&](const std::string& path, const command& each) {
        for (const auto& argument : each.arguments) {
            if (argument.offers == completes::context) {
                cases += "        " + quoted(path) + ") values=\"$(" + root.name +
                         " context ls --names 2>/dev/null)\" ;;\n";
            } else if (!argument.words.empty()) {
                cases += "        " + quoted(path) + ") values=" + quoted(joined(argument.words)) +
                         " ;;\n";
            }
        }
    });
    return cases;
}

/// What fish asks to know whether something belongs here.
std::string fish_condition(const std::string& path) {
    return "test (__pipit_path) = " + quoted(path);
}

std::string fish_option(const std::string& condition, const option& each) {
    std::string line = "complete -c pipit -n " + quoted(condition);
    for (const auto name : each.all_names()) {
        line += name.starts_with("--") ? " -l " + std::string(name.substr(2))
                                       : " -s " + std::string(name.substr(1));
    }
    if (each.takes_value()) {
        if (each.offers == completes::file) {
            line += " -r -F";
        } else if (each.offers == completes::folder) {
            line += " -x -a '(__fish_complete_directories)'";
        } else if (each.offers == completes::context) {
            line += " -x -a '(pipit context ls --names 2>/dev/null)'";
        } else {
            line += each.words.empty() ? " -x" : " -x -a " + quoted(joined(each.words));
        }
    }
    return line + " -d " + quoted(each.help) + '\n';
}

} // namespace

std::string bash_completion(const command& root) {
    const value_kinds kinds(root);
    return "# bash completion for pipit; made by: pipit completion bash\n"
           "_pipit() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    local place=pipit skip= each i commands= options= values=\n"
           "    COMPREPLY=()\n"
           "    # --name=value comes as three words.\n"
           "    if [ \"$word\" = = ]; then word=; "
           "elif [ \"$previous\" = = ]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        each=${COMP_WORDS[i]}\n"
           "        [ \"$each\" != = ] || { skip=1; continue; }\n"
           "        if [ -n \"$skip\" ]; then skip=; continue; fi\n" +
           walk(root, kinds) +
           "    done\n"
           "    case \"$previous\" in\n" +
           (kinds.files.empty() ? ""
                                : "        " + alternatives(kinds.files) +
                                      ") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n") +
           (kinds.folders.empty() ? ""
                                  : "        " + alternatives(kinds.folders) +
                                        ") COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n") +
           (kinds.contexts.empty()
                ? ""
                : "        " + alternatives(kinds.contexts) +
                      ") COMPREPLY=($(compgen -W \"$(pipit context ls --names 2>/dev/null)\" -- "
                      "\"$word\")); return ;;\n") +
           "    esac\n"
           "    case \"$place|$previous\" in\n" +
           word_cases(kinds) +
           "    esac\n"
           "    if [ -z \"$values\" ]; then\n"
           "        case \"$previous\" in " +
           alternatives(kinds.all) +
           ") return ;; esac\n"
           "        case \"$place\" in\n" +
           offers(root) +
           argument_cases(root).insert(0, "        esac\n        case \"$place\" in\n") +
           "        esac\n"
           "        case \"$word\" in -*) values=$options ;; *) values=\"$commands $values\" ;; "
           "esac\n"
           "    fi\n"
           "    COMPREPLY=($(compgen -W \"$values\" -- \"$word\"))\n"
           "}\n"
           "complete -F _pipit pipit\n";
}

std::string zsh_completion(const command& root) {
    const value_kinds kinds(root);
    return "#compdef pipit\n"
           "# zsh completion for pipit; made by: pipit completion zsh\n"
           "_pipit() {\n"
           "    local word=${words[CURRENT]} previous=${words[CURRENT-1]}\n"
           "    local place=pipit skip= each i commands= options= values=\n"
           "    for ((i = 2; i < CURRENT; i++)); do\n"
           "        each=${words[i]}\n"
           "        if [[ -n $skip ]]; then skip=; continue; fi\n" +
           walk(root, kinds) +
           "    done\n"
           "    case \"$previous\" in\n" +
           (kinds.files.empty()
                ? ""
                : "        " + alternatives(kinds.files) + ") _files; return ;;\n") +
           (kinds.folders.empty()
                ? ""
                : "        " + alternatives(kinds.folders) + ") _files -/; return ;;\n") +
           (kinds.contexts.empty() ? ""
                                   : "        " + alternatives(kinds.contexts) +
                                         ") compadd -- ${(f)\"$(pipit context ls --names "
                                         "2>/dev/null)\"}; return ;;\n") +
           "    esac\n"
           "    case \"$place|$previous\" in\n" +
           word_cases(kinds) +
           "    esac\n"
           "    if [[ -z $values ]]; then\n"
           "        case \"$previous\" in " +
           alternatives(kinds.all) +
           ") return ;; esac\n"
           "        case \"$place\" in\n" +
           offers(root) +
           argument_cases(root).insert(0, "        esac\n        case \"$place\" in\n") +
           "        esac\n"
           "        case \"$word\" in -*) values=$options ;; *) values=\"$commands $values\" ;; "
           "esac\n"
           "    fi\n"
           "    compadd -- ${(s: :)${values//$'\\n'/ }}\n"
           "}\n"
           "if [[ $funcstack[1] == _pipit ]]; then _pipit \"$@\"; else compdef _pipit pipit; fi\n";
}

std::string fish_completion(const command& root) {
    const value_kinds kinds(root);
    std::string cases;
    visit_commands(root, [&](const std::string& path, const command& parent) {
        for (const auto& child : parent.commands) {
            std::string names = quoted(path + '|' + child.name);
            for (const auto& alias : child.aliases) names += ' ' + quoted(path + '|' + alias);
            cases += "            case " + names + "\n                set path " +
                     quoted(path + ' ' + child.name) + '\n';
        }
    });
    std::string values;
    for (const auto& name : kinds.all) values += ' ' + name;
    auto text = "# fish completion for pipit; made by: pipit completion fish\n"
                "function __pipit_path\n"
                "    set -l path pipit\n"
                "    set -l skip\n"
                "    for each in (commandline -opc)[2..-1]\n"
                "        if set -q skip[1]\n"
                "            set -e skip[1]\n"
                "            continue\n"
                "        end\n"
                "        if contains -- $each" +
                values +
                "\n            set skip 1\n"
                "            continue\n"
                "        end\n"
                "        switch \"$path|$each\"\n" +
                cases +
                "        end\n"
                "    end\n"
                "    echo $path\n"
                "end\n"
                "complete -c pipit -f\n";
    visit_commands(root, [&](const std::string& path, const command& each) {
        for (const auto& child : each.commands) {
            text += "complete -c pipit -n " + quoted(fish_condition(path)) + " -a " +
                    quoted(child.name) + " -d " + quoted(child.summary) + '\n';
        }
        for (const auto& option : each.options) {
            text += fish_option(&each == &root ? "true" : fish_condition(path), option);
        }
        for (const auto& argument : each.arguments) {
            if (argument.offers == completes::context) {
                text += "complete -c pipit -n " + quoted(fish_condition(path)) +
                        " -a '(pipit context ls --names 2>/dev/null)'\n";
            } else if (!argument.words.empty()) {
                text += "complete -c pipit -n " + quoted(fish_condition(path)) + " -a " +
                        quoted(joined(argument.words)) + '\n';
            }
        }
    });
    return text;
}

} // namespace pipit::cli
