// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/units.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What can be typed, as a tree of values: the parser, the help, the man pages and the completion
/// scripts are all made from it.
namespace pipit::cli {

/// What a shell offers for a value.
enum class completes { nothing, file, folder, context, command };

/// What of an option's value is nobody's business, neither in complaints nor in `ps`. What looks
/// like a seed, a JWT or a URL with a password is hidden in any value.
enum class secrecy {
    none,
    whole,          ///< All of it, whatever it is.
    urls,           ///< Who signs in by a URL, or by several with commas; a scheme may be missing.
    file_of_secret, ///< Nothing: it names a file. A secret in its place is refused.
};

/// Takes what was typed for an option or an argument; answers what is wrong with it, behind its
/// name: `is not a duration such as 300ms`. A switch gets `true` or `false`.
using setter = std::function<std::optional<std::string>(std::string_view)>;

/// An option, or an argument without dashes.
struct option {
    std::string names; ///< `-H,--header`; of an argument `subject`.
    std::string value; ///< What the help shows for its value; empty: a switch, or an argument.
    std::string help;  ///< Half a sentence, without its stop.
    setter set;        ///< Lives as long as the tree.
    secrecy hides = secrecy::none;
    bool repeats = false;  ///< Every one counts; otherwise the last.
    bool required = false; ///< Only for an argument.
    completes offers = completes::nothing;
    std::vector<std::string> words = {}; ///< The only ones that are taken, if there are any.
    std::string environment = {};        ///< The variable that says the same.

    [[nodiscard]] bool is_argument() const { return !names.starts_with('-'); }
    [[nodiscard]] bool takes_value() const { return is_argument() || !value.empty(); }
    /// `-H` and `--header`, or the name of an argument.
    [[nodiscard]] std::vector<std::string_view> all_names() const;
};

void append(std::vector<option>& to, std::vector<option> more);

struct example {
    std::string line; ///< As it is typed.
    std::string what; ///< What it does.
};

struct command {
    std::string name;
    std::vector<std::string> aliases = {};
    std::string summary; ///< One line, without its stop.
    std::string description =
        {}; ///< Paragraphs, parted by empty lines; indented ones stay as they are.
    std::vector<option> arguments = {};
    std::vector<option> options = {};
    std::vector<example> examples = {};
    std::vector<command> commands = {};
    std::function<int()> run = {}; ///< Answers the exit code; empty when a command must follow.

    [[nodiscard]] bool is_called(std::string_view word) const;
    /// Its own child of that name or alias, or null.
    [[nodiscard]] const command* find(std::string_view word) const;
};

/// Calls `visit(path, command)` for the command and all below it; `path` is `pipit context add`.
void visit_commands(const command& root,
                    const std::function<void(const std::string&, const command&)>& visit);

/// Setters of variables.
[[nodiscard]] setter into(bool& target);
[[nodiscard]] setter into(std::string& target);
[[nodiscard]] setter into(std::optional<std::string>& target);
[[nodiscard]] setter into(std::vector<std::string>& target);
[[nodiscard]] setter into(std::uint64_t& target);
[[nodiscard]] setter into(std::optional<std::uint64_t>& target);
[[nodiscard]] setter into(nanoseconds& target);
[[nodiscard]] setter into(std::optional<nanoseconds>& target);
/// A number of bytes.
[[nodiscard]] setter into_size(std::uint64_t& target);
/// A switch that turns something off.
[[nodiscard]] setter into_not(bool& target);
/// A program and its arguments, parted as by a shell.
[[nodiscard]] setter into_command(std::vector<std::string>& target);

} // namespace pipit::cli
