// SPDX-License-Identifier: Apache-2.0
#include <cli/help_text.hpp>

#include <algorithm>

namespace pipit::cli {
namespace {

/// Text that troff takes as it is.
std::string escaped(std::string_view text) {
    std::string result;
    bool begins_line = true;
    for (const auto c : text) {
        if (begins_line && (c == '.' || c == '\'')) result += "\\&";
        begins_line = c == '\n';
        if (c == '\\') {
            result += "\\e";
        } else if (c == '-') {
            result += "\\-";
        } else {
            result += c;
        }
    }
    return result;
}

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return result;
}

std::string with_dashes(std::string text) {
    std::replace(text.begin(), text.end(), ' ', '-');
    return text;
}

std::string trimmed(std::string text) {
    text.erase(0, text.find_first_not_of(' '));
    return text;
}

/// Paragraphs; lines that begin with a blank are examples.
std::string body(std::string_view text) {
    std::string result;
    bool is_example = false;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const bool indented = line.starts_with(' ');
        if (indented != is_example && !line.empty()) {
            result += indented ? ".PP\n.nf\n" : ".fi\n";
            is_example = indented;
        }
        result += line.empty() ? (is_example ? "\n" : ".PP\n") : escaped(line) + '\n';
    }
    return result + (is_example ? ".fi\n" : "");
}

std::string entries(const std::vector<option>& options) {
    std::string text;
    for (const auto& each : options) {
        text += ".TP\n.B " + escaped(trimmed(option_heading(each))) + '\n' +
                escaped(option_help(each)) + ".\n";
    }
    return text;
}

std::string section(const std::string& title, const std::string& text) {
    return text.empty() ? "" : ".SH " + title + '\n' + text;
}

std::string exit_codes() {
    return ".TP\n.B 0\nIt is done, or was ended by Ctrl\\-C where it runs until then.\n"
           ".TP\n.B 1\nIt failed: the server cannot be reached, it refused, nobody answered.\n"
           ".TP\n.B 2\nThe command line is wrong.\n"
           ".TP\n.B 130, 143\nIt was ended by SIGINT or SIGTERM before it was done.\n";
}

} // namespace

std::string manual_file_name(const std::string& path) { return with_dashes(path) + ".1"; }

std::string manual_page(const std::string& path, const command& chosen,
                        const std::vector<option>& shared, const std::string& version) {
    auto text = ".TH " + upper(with_dashes(path)) + " 1 \"\" \"Pipit " + version +
                "\"\n.SH NAME\n" + escaped(with_dashes(path)) + " \\- " + escaped(chosen.summary) +
                "\n.SH SYNOPSIS\n.B " + escaped(path) + '\n' +
                escaped(trimmed(usage_line(path, chosen).substr(path.size()))) + '\n';
    text += section("DESCRIPTION", escaped(chosen.summary) + ".\n" +
                                       (chosen.description.empty() ? "" : ".PP\n") +
                                       body(chosen.description));
    std::string commands, see_also, examples;
    for (const auto& each : chosen.commands) {
        const auto page = with_dashes(path + ' ' + each.name);
        commands += ".TP\n.BR " + escaped(page) + " (1)\n" + escaped(each.summary) + ".\n";
    }
    for (const auto& each : chosen.examples) {
        examples += ".TP\n.B " + escaped(each.line) + '\n' + escaped(each.what) + ".\n";
    }
    text += section("COMMANDS", commands) + section("ARGUMENTS", entries(chosen.arguments)) +
            section("OPTIONS", entries(chosen.options)) +
            section("OPTIONS OF EVERY COMMAND", entries(shared)) + section("EXAMPLES", examples);
    if (!path.ends_with("server")) text += section("EXIT STATUS", exit_codes());
    const auto blank = path.rfind(' ');
    if (blank != std::string::npos) {
        see_also = ".BR " + escaped(with_dashes(path.substr(0, blank))) + " (1)\n";
    }
    return text + section("SEE ALSO", see_also);
}

} // namespace pipit::cli
