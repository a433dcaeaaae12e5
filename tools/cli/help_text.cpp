// SPDX-License-Identifier: Apache-2.0
#include <cli/help_text.hpp>

#include <cli/drawing.hpp>

#include <algorithm>

namespace pipit::cli {
namespace {

constexpr std::size_t page_width = 80;
constexpr std::size_t help_column = 28;

/// A name on the left and its help, broken into lines, on the right.
std::string entry(const std::string& heading, std::string_view help) {
    auto text = wrapped(help, page_width, help_column);
    const auto left = "  " + heading;
    const auto shown = shown_width(left);
    if (shown + 2 > help_column) return left + '\n' + text;
    if (text.empty()) return left + '\n';
    return left + std::string(help_column - shown, ' ') + text.substr(help_column);
}

/// Paragraphs; lines that begin with a blank stay as they are.
std::string paragraphs(std::string_view text) {
    std::string result, flowing;
    const auto flush = [&] {
        result += wrapped(flowing, page_width, 0);
        flowing.clear();
    };
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.empty() || line.front() == ' ') {
            flush();
            result += std::string(line) + '\n';
        } else {
            flowing += (flowing.empty() ? "" : " ") + std::string(line);
        }
    }
    flush();
    return result;
}

class page {
public:
    explicit page(bool coloured) : coloured_(coloured) {}

    void section(std::string_view title, const std::string& body) {
        if (body.empty()) return;
        text_ +=
            (text_.empty() ? "" : "\n") + painted(title, colour::bold, coloured_) + '\n' + body;
    }
    void plain(const std::string& body) {
        if (!body.empty()) text_ += (text_.empty() ? "" : "\n") + body;
    }
    [[nodiscard]] std::string text() && { return std::move(text_); }

private:
    std::string text_;
    bool coloured_;
};

std::string entries(const std::vector<option>& options) {
    std::string text;
    for (const auto& each : options) text += entry(option_heading(each), option_help(each));
    return text;
}

std::string command_entries(const std::vector<command>& commands) {
    std::string text;
    for (const auto& each : commands) {
        auto names = each.name;
        for (const auto& alias : each.aliases) names += ", " + alias;
        text += entry(names, each.summary);
    }
    return text;
}

std::string example_entries(const std::vector<example>& examples) {
    std::string text;
    for (const auto& each : examples) {
        const auto left = "  " + each.line;
        const auto width = shown_width(left);
        const bool fits = width < 42 && 44 + shown_width(each.what) <= page_width;
        text += left + (fits ? std::string(44 - width, ' ') : "\n      ") + each.what + '\n';
    }
    return text;
}

} // namespace

std::string option_heading(const option& each) {
    if (each.is_argument()) return each.names;
    std::string heading;
    for (const auto name : each.all_names()) {
        heading += (heading.empty() ? "" : ", ") + std::string(name);
    }
    if (!heading.starts_with("--")) return heading + (each.value.empty() ? "" : " " + each.value);
    return "    " + heading + (each.value.empty() ? "" : " " + each.value);
}

std::string option_help(const option& each) {
    auto help = each.help;
    if (!each.words.empty()) {
        help += ": ";
        for (std::size_t i = 0; i < each.words.size(); ++i) {
            help += (i == 0 ? "" : i + 1 == each.words.size() ? " or " : ", ") + each.words[i];
        }
    }
    if (each.repeats && !each.is_argument()) help += "; may be given several times";
    if (!each.environment.empty()) help += " ($" + each.environment + ")";
    return help;
}

std::string usage_line(const std::string& path, const command& chosen) {
    auto line = path;
    if (!chosen.commands.empty()) line += chosen.run ? " [command]" : " <command>";
    line += " [option]…";
    for (const auto& each : chosen.arguments) {
        const auto name = each.required ? "<" + each.names + ">" : "[" + each.names + "]";
        line += " " + name + (each.repeats ? "…" : "");
    }
    return line;
}

std::string help_text(const std::vector<const command*>& path, bool coloured) {
    const auto& chosen = *path.back();
    std::string name;
    std::vector<option> shared;
    for (const auto* each : path) {
        name += (name.empty() ? "" : " ") + each->name;
        if (each != &chosen)
            shared.insert(shared.end(), each->options.begin(), each->options.end());
    }
    page shown(coloured);
    shown.plain(painted("Usage:", colour::bold, coloured) + " " + usage_line(name, chosen) + '\n');
    shown.plain(wrapped(chosen.summary + ".", page_width, 0));
    shown.plain(paragraphs(chosen.description));
    shown.section("Commands:", command_entries(chosen.commands));
    shown.section("Arguments:", entries(chosen.arguments));
    shown.section("Options:", entries(chosen.options));
    shown.section("Options of every command:", entries(shared));
    shown.section("Examples:", example_entries(chosen.examples));
    return std::move(shown).text();
}

} // namespace pipit::cli
