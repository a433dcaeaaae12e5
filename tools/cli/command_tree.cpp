// SPDX-License-Identifier: Apache-2.0
#include <cli/command_tree.hpp>

#include <cli/shell_words.hpp>

#include <algorithm>
#include <iterator>

namespace pipit::cli {
namespace {

std::optional<std::string> no_complaint() { return std::nullopt; }

/// A setter by one of the readers of units.hpp.
template <class Target, class Read>
setter by(Target& target, Read read, std::string complaint) {
    return [&target, read, complaint = std::move(complaint)](std::string_view text) {
        const auto value = read(text);
        if (!value) return std::optional(complaint);
        target = *value;
        return no_complaint();
    };
}

constexpr auto not_a_count = "is not a whole number";
constexpr auto not_a_time_span = "is not a duration such as 300ms, 5s or 1m30s";

void visit_below(const std::string& path, const command& top,
                 const std::function<void(const std::string&, const command&)>& visit) {
    visit(path, top);
    for (const auto& each : top.commands) visit_below(path + ' ' + each.name, each, visit);
}

} // namespace

std::vector<std::string_view> option::all_names() const {
    std::vector<std::string_view> all;
    std::string_view rest = names;
    while (!rest.empty()) {
        const auto name = rest.substr(0, rest.find(','));
        all.push_back(name);
        rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    }
    return all;
}

void append(std::vector<option>& to, std::vector<option> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

bool command::is_called(std::string_view word) const {
    return word == name || std::find(aliases.begin(), aliases.end(), word) != aliases.end();
}

const command* command::find(std::string_view word) const {
    const auto found = std::find_if(commands.begin(), commands.end(),
                                    [&](const auto& each) { return each.is_called(word); });
    return found == commands.end() ? nullptr : &*found;
}

void visit_commands(const command& root,
                    const std::function<void(const std::string&, const command&)>& visit) {
    visit_below(root.name, root, visit);
}

setter into(bool& target) {
    return [&target](std::string_view text) {
        target = text == "true";
        return no_complaint();
    };
}

setter into_not(bool& target) {
    return [&target](std::string_view text) {
        target = text != "true";
        return no_complaint();
    };
}

setter into(std::string& target) {
    return [&target](std::string_view text) {
        target = text;
        return no_complaint();
    };
}

setter into(std::optional<std::string>& target) {
    return [&target](std::string_view text) {
        target = std::string(text);
        return no_complaint();
    };
}

setter into(std::vector<std::string>& target) {
    return [&target](std::string_view text) {
        target.emplace_back(text);
        return no_complaint();
    };
}

setter into_command(std::vector<std::string>& target) {
    return [&target](std::string_view text) -> std::optional<std::string> {
        auto words = split_shell_words(text);
        if (!words) return "has a quote that is not closed";
        if (words->empty() || words->front().empty()) return "names no command";
        target = std::move(*words);
        return std::nullopt;
    };
}

setter into(std::uint64_t& target) { return by(target, parse_count, not_a_count); }
setter into(std::optional<std::uint64_t>& target) { return by(target, parse_count, not_a_count); }
setter into(nanoseconds& target) { return by(target, parse_time_span, not_a_time_span); }
setter into(std::optional<nanoseconds>& target) {
    return by(target, parse_time_span, not_a_time_span);
}
setter into_size(std::uint64_t& target) {
    return by(target, parse_size, "is not a size such as 128, 4KB or 1MiB");
}

} // namespace pipit::cli
