// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/subject_transform.hpp>

#include <pipit/base/utf8.hpp>
#include <pipit/protocol/error.hpp>
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace pipit::protocol {
namespace {

using kind = transform_step::kind;

// --- Reading a destination ---

error invalid(std::string detail) { return {errc::invalid_mapping, std::move(detail)}; }

error invalid_destination(std::string_view reason, std::string_view token) {
    std::string detail("invalid mapping destination: ");
    detail.append(reason);
    if (!token.empty()) detail.append(" in ").append(token);
    return invalid(std::move(detail));
}

constexpr std::string_view unknown_function = "unknown function";
constexpr std::string_view index_out_of_range = "wildcard index out of range";
constexpr std::string_view not_enough_arguments = "not enough arguments passed to the function";
constexpr std::string_view too_many_arguments = "too many arguments passed to the function";
constexpr std::string_view invalid_argument = "function argument is invalid or in the wrong format";
constexpr std::string_view invalid_transform = "invalid transform";

/// A capital letter of a name may be written small.
struct function_name {
    std::string_view name;
    kind what;
};

// In nats-server's order, which decides about a token that holds several calls.
constexpr function_name functions[] = {
    {"Wildcard", kind::wildcard},
    {"Partition", kind::partition},
    {"SplitFromLeft", kind::split_from_left},
    {"SplitFromRight", kind::split_from_right},
    {"SliceFromLeft", kind::slice_from_left},
    {"SliceFromRight", kind::slice_from_right},
    {"Right", kind::right},
    {"Left", kind::left},
    {"Split", kind::split},
    {"Random", kind::random},
};

void skip_blanks(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\n\f\r"), text.size()));
}

bool skip_name(std::string_view& text, std::string_view name) {
    if (text.size() < name.size()) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const bool capital = name[i] >= 'A' && name[i] <= 'Z';
        const auto small = static_cast<char>(capital ? name[i] - 'A' + 'a' : name[i]);
        if (text[i] != name[i] && text[i] != small) return false;
    }
    text.remove_prefix(name.size());
    return true;
}

/// What stands between the outermost parentheses of `{{name(…)}}`, anywhere in a token.
std::optional<std::string_view> find_call(std::string_view token, std::string_view name) {
    for (auto open = token.find("{{"); open != token.npos; open = token.find("{{", open + 1)) {
        auto call = token.substr(open + 2);
        skip_blanks(call);
        if (!skip_name(call, name)) continue;
        skip_blanks(call);
        if (!call.starts_with('(')) continue;
        call.remove_prefix(1);
        for (auto close = call.rfind(')'); close != call.npos;
             close = close == 0 ? call.npos : call.rfind(')', close - 1)) {
            auto behind = call.substr(close + 1);
            skip_blanks(behind);
            if (behind.starts_with("}}")) return call.substr(0, close);
        }
    }
    return std::nullopt;
}

bool looks_like_call(std::string_view token) {
    return token.size() > 4 && token.starts_with("{{") && token.ends_with("}}");
}

std::vector<std::string_view> split_arguments(std::string_view text) {
    std::vector<std::string_view> arguments;
    for (;;) {
        const auto comma = text.find(',');
        arguments.push_back(text.substr(0, comma));
        if (comma == text.npos) return arguments;
        text.remove_prefix(comma + 1);
        skip_blanks(text);
    }
}

std::optional<std::int64_t> to_number(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// A call before its wildcard numbers are checked against the source.
struct call {
    kind what = kind::literal;
    std::vector<std::int64_t> wildcards{}; ///< From 1.
    std::int32_t number = 0;
    std::string_view text{};
};

constexpr std::int64_t number_max = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t number_min = std::numeric_limits<std::int32_t>::min();

/// `wildcard(n)`; `partition(buckets, n…)`; `random(max)`.
result<call> read_numbers(std::string_view token, kind what,
                          const std::vector<std::string_view>& arguments) {
    const bool single = what == kind::wildcard || what == kind::random;
    if (what == kind::wildcard && arguments.size() == 1 && arguments[0].empty()) {
        return invalid_destination(not_enough_arguments, token);
    }
    if (single && arguments.size() > 1) { // nats-server's words, also for `random`
        return invalid_destination(what == kind::random ? not_enough_arguments : too_many_arguments,
                                   token);
    }
    call read{.what = what};
    for (const auto& argument : arguments) {
        const auto number = to_number(argument);
        const bool is_number = &argument == arguments.data() && what != kind::wildcard;
        if (!number || (is_number && *number > number_max)) {
            return invalid_destination(invalid_argument, token);
        }
        if (is_number) {
            read.number = static_cast<std::int32_t>(*number);
        } else {
            read.wildcards.push_back(*number);
        }
    }
    return read;
}

/// `split(n, separator)`; the others `(n, number)`.
result<call> read_pair(std::string_view token, kind what,
                       const std::vector<std::string_view>& arguments) {
    if (arguments.size() < 2) return invalid_destination(not_enough_arguments, token);
    if (arguments.size() > 2) return invalid_destination(too_many_arguments, token);
    const auto wildcard = to_number(arguments[0]);
    if (!wildcard) return invalid_destination(invalid_argument, token);
    call read{.what = what, .wildcards = {*wildcard}};
    if (what == kind::split) {
        read.text = arguments[1];
        const bool readable = read.text.find_first_of(" .") == std::string_view::npos;
        if (!readable) return invalid_destination(invalid_argument, token);
        return read;
    }
    const auto number = to_number(arguments[1]);
    if (!number || *number > number_max || *number < number_min) {
        return invalid_destination(invalid_argument, token);
    }
    read.number = static_cast<std::int32_t>(*number);
    return read;
}

result<call> read_token(std::string_view token) {
    if (token.size() > 1 && token.front() == '$') {
        const auto number = to_number(token.substr(1));
        // Others begin their subjects with `$` too, so what is no number is no error.
        if (!number) return call{.what = kind::literal, .text = token};
        return call{.what = kind::wildcard, .wildcards = {*number}};
    }
    if (!looks_like_call(token)) {
        return call{.what = token == ">" ? kind::rest : kind::literal, .text = token};
    }
    for (const auto& [name, what] : functions) {
        const auto text = find_call(token, name);
        if (!text) continue;
        const auto arguments = split_arguments(*text);
        const bool numbers =
            what == kind::wildcard || what == kind::partition || what == kind::random;
        return numbers ? read_numbers(token, what, arguments) : read_pair(token, what, arguments);
    }
    return invalid_destination(unknown_function, token);
}

/// The form of a destination, before its functions are looked into.
result<> check_destination(std::string_view destination) {
    bool ended = false;
    for (const auto token : tokens(destination)) {
        if (token.empty() || ended) return invalid_destination(invalid_transform, token);
        if (looks_like_call(token)) {
            const bool known = std::ranges::any_of(
                functions, [&](const auto& f) { return find_call(token, f.name).has_value(); });
            if (!known) return invalid_destination(unknown_function, token);
            continue;
        }
        ended = token == ">";
        if (token.find_first_of("\t\n\f\r ") != token.npos) {
            return invalid_destination(invalid_transform, {});
        }
    }
    return {};
}

/// Where the wildcards of a source are.
struct source_shape {
    std::vector<std::size_t> stars;
    bool full = false;
    std::size_t token_count = 0;

    explicit source_shape(std::string_view source) {
        for (const auto token : tokens(source)) {
            if (token == "*") stars.push_back(token_count);
            full = token == ">";
            ++token_count;
        }
    }
    [[nodiscard]] bool literal() const { return stars.empty() && !full; }
};

result<transform_step> resolve(std::string_view token, const call& read,
                               const source_shape& source) {
    transform_step step{read.what, std::string(read.text), {}, read.number};
    if (source.literal()) {
        const bool needs_wildcards =
            read.what != kind::literal && read.what != kind::partition && read.what != kind::random;
        if (needs_wildcards) return invalid_destination(index_out_of_range, token);
        return step; // What `partition` names is not looked at then, as in nats-server.
    }
    for (const auto wildcard : read.wildcards) {
        if (wildcard > static_cast<std::int64_t>(source.stars.size())) {
            const auto place = std::string(token) + ": [" + std::to_string(wildcard) + "]";
            return invalid_destination(index_out_of_range, place);
        }
        // 0 and what is negative is the first token, as in nats-server.
        const auto index = static_cast<std::size_t>(wildcard) - 1;
        step.arguments.push_back(wildcard < 1 ? 0 : source.stars[index]);
    }
    return step;
}

// --- Transforming a subject ---

/// What is left of a subject from its token `index` on; empty when there are fewer.
bytes_view from_token(bytes_view subject, std::size_t index) {
    for (; index > 0; --index) {
        const auto dot = subject.find('.');
        if (dot == bytes_view::npos) return {};
        subject.remove_prefix(dot + 1);
    }
    return subject;
}

bytes_view token_at(bytes_view subject, std::size_t index) {
    const auto rest = from_token(subject, index);
    return rest.substr(0, rest.find('.'));
}

void append_number(std::string& out, std::uint32_t number) {
    char digits[std::numeric_limits<std::uint32_t>::digits10 + 1];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
    out.append(digits, end);
}

/// FNV-1a, 32 bits.
std::uint32_t fnv1a(bytes_view bytes, std::uint32_t before = 2166136261u) {
    for (const auto byte : bytes) {
        before = (before ^ static_cast<unsigned char>(byte)) * 16777619u;
    }
    return before;
}

void append_partition(std::string& out, const transform_step& step, bytes_view subject) {
    std::uint32_t hashed = fnv1a(step.arguments.empty() ? subject : bytes_view());
    for (const auto index : step.arguments) hashed = fnv1a(token_at(subject, index), hashed);
    const auto buckets = static_cast<std::uint32_t>(step.number);
    append_number(out, buckets == 0 ? 0 : hashed % buckets);
}

void append_random(std::string& out, std::int32_t ceiling, random_source& random) {
    const auto signless = static_cast<std::uint32_t>(ceiling);
    const auto bound = ceiling < 0 ? 0 - signless : signless;
    append_number(out, bound == 0 ? 0 : random.below(bound));
}

void append_slices(std::string& out, bytes_view token, std::size_t first, std::size_t size) {
    out.append(token.substr(0, first));
    for (auto begin = first; begin < token.size(); begin += size) {
        if (begin > 0) out += '.';
        out.append(token.substr(begin, size));
    }
}

/// Where the next piece of a token ends and what separates it from the one after; a separator
/// of no bytes stands between all characters.
std::size_t piece_size(bytes_view rest, std::string_view separator) {
    if (!separator.empty()) return std::min(rest.find(separator), rest.size());
    return rest.empty() ? 0 : decode_utf8(rest).length;
}

/// Empty pieces leave no dots: `a-b--c` becomes `a.b.c`, `-a` becomes `a`. Two or more separators
/// in front leave one, as in nats-server.
void append_split(std::string& out, bytes_view token, std::string_view separator) {
    bool dot = false;
    bool first = true;
    while (!token.empty()) {
        const auto size = piece_size(token, separator);
        if (size > 0 && dot) out += '.';
        out.append(token.substr(0, size));
        dot = size > 0 || !first;
        first = false;
        token.remove_prefix(std::min(size + separator.size(), token.size()));
    }
}

/// The functions of one token and one number, which do nothing unless 0 < number < length.
void append_cut(std::string& out, const transform_step& step, bytes_view token) {
    const auto number = static_cast<std::size_t>(std::max(step.number, 0));
    if (number == 0 || number >= token.size()) {
        out.append(token);
        return;
    }
    const auto cut = [&](std::size_t position) {
        out.append(token.substr(0, position)).append(".").append(token.substr(position));
    };
    switch (step.what) {
    case kind::split_from_left: return cut(number);
    case kind::split_from_right: return cut(token.size() - number);
    case kind::slice_from_left: return append_slices(out, token, 0, number);
    case kind::slice_from_right: return append_slices(out, token, token.size() % number, number);
    case kind::left: out.append(token.substr(0, number)); return;
    default: out.append(token.substr(token.size() - number)); return;
    }
}

void append_step(std::string& out, const transform_step& step, bytes_view subject,
                 random_source& random) {
    switch (step.what) {
    case kind::literal: out.append(step.text); return;
    case kind::partition: return append_partition(out, step, subject);
    case kind::random: return append_random(out, step.number, random);
    default: break;
    }
    const auto token = token_at(subject, step.arguments.front());
    switch (step.what) {
    case kind::wildcard: out.append(token); return;
    case kind::split: return append_split(out, token, step.text);
    default: return append_cut(out, step, token);
    }
}

} // namespace

result<subject_transform> subject_transform::make(std::string_view source,
                                                  std::string_view destination) {
    if (!is_valid_subject(source)) return invalid("invalid subject");
    if (auto checked = check_destination(destination); !checked) return checked.error();
    const source_shape from(source), to(destination);
    if (!to.stars.empty() || from.full != to.full) return invalid("invalid subject");

    subject_transform made;
    made.source_ = source;
    made.destination_ = destination;
    made.rest_index_ = from.token_count - 1;
    for (const auto token : tokens(destination)) {
        const auto read = read_token(token);
        if (!read) return read.error();
        auto step = resolve(token, *read, from);
        if (!step) return step.error();
        made.steps_.push_back(std::move(*step));
    }
    return made;
}

bool subject_transform::matches(bytes_view subject) const noexcept {
    return is_subset(subject, source_);
}

void subject_transform::apply(bytes_view subject, random_source& random,
                              std::string& transformed) const {
    transformed.clear();
    for (const auto& step : steps_) {
        if (&step != steps_.data()) transformed += '.';
        if (step.what == kind::rest) {
            transformed.append(from_token(subject, rest_index_));
        } else {
            append_step(transformed, step, subject, random);
        }
    }
}

} // namespace pipit::protocol
