// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/parse_report.hpp>

#include <pipit/protocol/go_text.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace pipit::broker {
namespace {

constexpr std::size_t shown_bytes_max = 32; ///< As nats-server.
constexpr std::size_t shown_arguments_max = 256;
constexpr bytes_view blanks = " \t\r";

char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool begins_like(bytes_view name, bytes_view text) noexcept {
    return text.size() <= name.size() && std::equal(text.begin(), text.end(), name.begin(),
                                                    [](char a, char b) { return upper(a) == b; });
}

/// JSON has passwords in it, and so may a URL or a header of HTTP.
bytes_view without_secrets(bytes_view text) noexcept {
    text = text.substr(0, text.find_first_of("{?"));
    constexpr bytes_view header = "AUTHORIZATION";
    const auto found = std::search(text.begin(), text.end(), header.begin(), header.end(),
                                   [](char a, char b) { return upper(a) == b; });
    return text.substr(0, static_cast<std::size_t>(found - text.begin()));
}

/// nats-server's numbers for the states of its parser, one for each letter of an operation's name.
struct numbered_name {
    bytes_view name;
    int first;  ///< Of its first letter.
    int second; ///< Of the second one; the others follow.
};
constexpr std::array<numbered_name, 10> names{{{"+OK", 1, 2},
                                               {"-ERR", 4, 5},
                                               {"CONNECT", 10, 11},
                                               {"HPUB", 18, 19},
                                               {"PUB", 29, 30},
                                               {"PING", 29, 34},
                                               {"PONG", 29, 37},
                                               {"SUB", 43, 44},
                                               {"UNSUB", 59, 60},
                                               {"INFO", 71, 72}}};
constexpr int state_of_payload_end = 41;

/// Nothing when this begins no operation's name.
std::optional<int> state_behind(bytes_view text) noexcept {
    for (const auto& each : names) {
        if (text.empty() || !begins_like(each.name, text)) continue;
        return text.size() == 1 ? each.first : each.second + static_cast<int>(text.size()) - 2;
    }
    return std::nullopt;
}

/// Of what stands at the byte that is wrong, as much as may be shown. A secret may have begun
/// before it.
bytes_view shown_part(bytes_view input, std::size_t begin, std::size_t at) noexcept {
    // As nats-server, without the last byte of what was read.
    auto end = at + shown_bytes_max;
    if (end > input.size()) end = input.size() - (at < input.size() ? 1 : 0);
    const auto safe = without_secrets(input.substr(begin, end - begin));
    return safe.substr(std::min(safe.size(), at - begin));
}

struct control_line {
    bytes_view name, arguments;
    [[nodiscard]] std::size_t count() const noexcept {
        std::size_t words = 0;
        for (auto at = arguments.find_first_not_of(blanks); at != bytes_view::npos; ++words) {
            at = arguments.find_first_not_of(blanks, arguments.find_first_of(blanks, at));
        }
        return words;
    }
    [[nodiscard]] bool is(bytes_view wanted) const noexcept {
        return name.size() == wanted.size() && begins_like(wanted, name);
    }
};

/// Of the line that has the byte `at`.
std::size_t line_begin_of(bytes_view input, std::size_t at) noexcept {
    const auto feed = at == 0 ? bytes_view::npos : input.rfind('\n', at - 1);
    return feed == bytes_view::npos ? 0 : feed + 1;
}

/// The line that is wrong; nothing when its beginning has been read before.
std::optional<control_line> line_of(const parse_stop& stop) {
    // A line is taken with its end before it is seen to be wrong.
    const bool has_end = stop.at > 0 && stop.input[stop.at - 1] == '\n';
    const auto begin = line_begin_of(stop.input, has_end ? stop.at - 1 : stop.at);
    if (begin == 0 && !stop.begins_operation) return std::nullopt;
    auto line = stop.input.substr(begin);
    line = line.substr(0, line.find('\n'));
    control_line found;
    found.name = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(found.name.size());
    const auto first = std::min(line.find_first_not_of(blanks), line.size());
    const auto last = line.find_last_not_of(blanks);
    if (last != bytes_view::npos) found.arguments = line.substr(first, last + 1 - first);
    return found;
}

std::string shown(const control_line& line) {
    return protocol::quoted(without_secrets(line.arguments.substr(0, shown_arguments_max)));
}

std::optional<std::int64_t> number_of(bytes_view word) noexcept {
    std::int64_t value = 0;
    constexpr std::size_t digits_max = 9; // As nats-server.
    if (word.empty() || word.size() > digits_max) return std::nullopt;
    for (const char c : word) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

bytes_view last_word(bytes_view text) noexcept {
    const auto blank = text.find_last_of(blanks);
    return blank == bytes_view::npos ? text : text.substr(blank + 1);
}

std::string_view problem_with_sizes(const control_line& line) noexcept {
    const auto total_text = last_word(line.arguments);
    auto rest = line.arguments.substr(0, line.arguments.size() - total_text.size());
    rest = rest.substr(0, rest.find_last_not_of(blanks) + 1);
    const auto headers = number_of(last_word(rest)), total = number_of(total_text);
    if (!headers) return "Bad or Missing Header Size";
    if (!total) return "Bad or Missing Total Size";
    return "Header Size larger then TotalSize";
}

/// Where the last message before `at` began, more or less.
std::size_t message_begin(bytes_view input, std::size_t at) noexcept {
    const auto begin = std::min(input.rfind("PUB ", at), input.rfind("pub ", at));
    return begin == bytes_view::npos ? 0 : begin;
}

/// What comes next is the end of a payload. A payload may have lines of its own, that look like
/// messages.
bool ends_payload(bytes_view input, std::size_t at) noexcept {
    constexpr int lines_tried = 8;
    auto before = at;
    for (int i = 0; i < lines_tried && before > 0; ++i) {
        const auto begin = line_begin_of(input, before - 1);
        const auto end = input.find('\n', begin);
        const auto line = input.substr(begin, end - begin);
        const auto is = [&](bytes_view name) {
            return line.size() > name.size() && begins_like(name, line.substr(0, name.size()));
        };
        if (end < at && (is("PUB") || is("HPUB"))) {
            const auto text = line.substr(0, line.find_last_not_of(blanks) + 1);
            const auto size = number_of(last_word(text));
            if (size && end + 1 + static_cast<std::size_t>(*size) == at) return true;
        }
        before = begin;
    }
    return false;
}

} // namespace

std::string unknown_operation_report(const parse_stop& stop) {
    const auto& [input, at, begins_operation, unused] = stop;
    std::string text = "Client parser ERROR, ";
    auto begin = line_begin_of(input, at);
    const bool knows_begin = begin != 0 || begins_operation;
    const bool is_payload_end = ends_payload(input, at);
    std::optional<int> state;
    if (!is_payload_end) {
        state = begin == at && knows_begin ? std::optional(0)
                                           : state_behind(input.substr(begin, at - begin));
    }
    if (!state) { // What ends a payload, CR and LF, did not come where it has to.
        const bool has_return = !is_payload_end && at > 0 && input[at - 1] == '\r';
        state = state_of_payload_end + (has_return ? 1 : 0);
        begin = message_begin(input, at);
    }
    if (knows_begin) text += "state=" + std::to_string(*state) + ", ";
    return text + "i=" + std::to_string(at) + ": proto='" +
           protocol::quoted(shown_part(input, begin, at)) + "...'";
}

std::optional<std::string> refused_line(const parse_stop& stop) {
    const auto line = line_of(stop);
    if (!line) return std::nullopt;
    std::string text(line->name);
    std::transform(text.begin(), text.end(), text.begin(), upper);
    // All of it: only PUB, HPUB, SUB and UNSUB can be refused, and they have no secrets.
    if (!line->arguments.empty()) text.append(" ").append(line->arguments);
    return text;
}

std::string arguments_report(const parse_stop& stop) {
    const auto line = line_of(stop);
    std::string problem = "Parse Error";
    if (line && line->is("SUB")) return "processSub " + problem + ": " + shown(*line);
    if (line && line->is("UNSUB")) return "processUnsub " + problem + ": " + shown(*line);
    if (line && line->is("PUB")) {
        const auto words = line->count();
        if (words == 2 || words == 3) problem = "Bad or Missing Size";
        return "processPub " + problem + ": " + shown(*line);
    }
    if (line && line->is("HPUB")) {
        const auto words = line->count();
        if (words == 3 || words == 4) problem = problem_with_sizes(*line);
        return "processHeaderPub " + problem + ": " + shown(*line);
    }
    return "parser ERROR: wrong number or form of arguments";
}

std::string payload_report(const parse_stop& stop) {
    const auto line = line_of(stop);
    const auto size = line ? number_of(last_word(line->arguments)) : std::nullopt;
    std::string text = "maximum payload exceeded";
    if (!size) return text;
    return text + ": " + std::to_string(*size) + " vs " + std::to_string(stop.payload_bytes_max);
}

} // namespace pipit::broker
