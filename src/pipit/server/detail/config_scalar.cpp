// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/ascii_case.hpp>
#include <pipit/base/hex.hpp>
#include <pipit/server/detail/config_scalar.hpp>
#include <pipit/server/error.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

namespace pipit::server::detail {
namespace {

error bad(std::string sentence) { return {errc::invalid_configuration, std::move(sentence)}; }

config_scalar text_scalar(std::string text) {
    auto written = text;
    return {std::move(text), std::move(written)};
}

bool ends_bare_text(const config_cursor& cursor) {
    const char c = cursor.peek();
    return cursor.at_end() || is_line_end(c) || is_blank(c) || c == ';' || c == ',' || c == ']' ||
           c == '}';
}

/// The two digits of `\xHH`.
std::optional<char> read_hex_byte(config_cursor& cursor) {
    int value = 0;
    for (int i = 0; i < 2; ++i) {
        const int digit = hex_digit(cursor.peek());
        if (digit < 0) return std::nullopt;
        value = value * 16 + digit;
        cursor.next();
    }
    return static_cast<char>(value);
}

/// What a backslash and the characters behind it stand for; the backslash has been taken.
result<char> read_escape(config_cursor& cursor) {
    const char c = cursor.next();
    switch (c) {
    case 't': return '\t';
    case 'n': return '\n';
    case 'r': return '\r';
    case '"':
    case '\\': return c;
    case 'x':
        if (const auto byte = read_hex_byte(cursor)) return *byte;
        return bad("Expected two hexadecimal digits after '\\x'");
    default: return bad("Unknown escape; there are \\xHH, \\t, \\n, \\r, \\\" and \\\\");
    }
}

result<config_scalar> read_double_quoted(config_cursor& cursor) {
    cursor.next();
    std::string text;
    while (!cursor.at_end()) {
        const char c = cursor.next();
        if (c == '"') return text_scalar(std::move(text));
        if (c != '\\') {
            text += c;
            continue;
        }
        const auto escaped = read_escape(cursor);
        if (!escaped) return escaped.error();
        text += *escaped;
    }
    return bad("A string in double quotes has no end");
}

result<config_scalar> read_single_quoted(config_cursor& cursor) {
    cursor.next();
    const auto start = cursor.offset();
    while (!cursor.at_end()) {
        if (cursor.peek() == '\'') {
            auto text = std::string(cursor.since(start));
            cursor.next();
            return text_scalar(std::move(text));
        }
        cursor.next();
    }
    return bad("A string in single quotes has no end");
}

/// `(`, lines, and a `)` that has its line for itself.
result<config_scalar> read_block(config_cursor& cursor) {
    cursor.next();
    const auto start = cursor.offset();
    while (!cursor.at_end()) {
        const bool line_begins = cursor.next() == '\n';
        const char behind = cursor.peek(1);
        if (line_begins && cursor.peek() == ')' && (behind == '\n' || behind == '\0')) {
            auto text = std::string(cursor.since(start));
            cursor.next();
            return text_scalar(std::move(text));
        }
    }
    return bad("A block of text has no ')' alone in a line");
}

std::optional<bool> as_boolean(std::string_view text) {
    const auto word = lower_case(text);
    if (word == "true" || word == "yes" || word == "on") return true;
    if (word == "false" || word == "no" || word == "off") return false;
    return std::nullopt;
}

/// Text without quotes: perhaps a boolean or a variable, unless something in it was escaped.
result<config_scalar> read_bare_text(config_cursor& cursor, std::size_t start) {
    std::string text(cursor.since(start));
    bool plain = true;
    while (!ends_bare_text(cursor)) {
        const char c = cursor.next();
        if (c == '\'') return text_scalar(std::move(text));
        if (c != '\\') {
            text += c;
            continue;
        }
        plain = false;
        const auto escaped = read_escape(cursor);
        if (!escaped) return escaped.error();
        text += *escaped;
    }
    if (!plain) return text_scalar(std::move(text));
    if (const auto value = as_boolean(text)) return config_scalar{*value, std::move(text)};
    if (text.starts_with('$')) return config_scalar{false, text.substr(1), true};
    return text_scalar(std::move(text));
}

/// What `k`, `kb`, `ki` and `kib` stand for, and so on up to `e`: powers of 1,000, of 1,024 with
/// anything behind the letter. None: it is no unit.
std::optional<std::int64_t> unit_of(std::string_view suffix) {
    if (suffix.empty()) return 1;
    const auto power = std::string_view("kmgtpe").find(suffix.front());
    const auto rest = suffix.substr(1);
    const bool is_binary = rest == "b" || rest == "i" || rest == "ib";
    if (power == std::string_view::npos || (!rest.empty() && !is_binary)) return std::nullopt;
    std::int64_t factor = 1;
    for (std::size_t i = 0; i <= power; ++i) factor *= is_binary ? 1024 : 1000;
    return factor;
}

result<config_scalar> as_integer(std::string_view written) {
    std::int64_t number = 0;
    const auto* const end = written.data() + written.size();
    const auto [rest, failed] = std::from_chars(written.data(), end, number);
    const auto out_of_range = [&] {
        return bad("integer '" + std::string(written) + "' is out of the range");
    };
    if (failed != std::errc()) return out_of_range();
    const auto unit = unit_of(lower_case({rest, static_cast<std::size_t>(end - rest)}));
    if (!unit) return bad("Unknown unit in '" + std::string(written) + "'");
    std::int64_t value = 0;
    if (__builtin_mul_overflow(number, *unit, &value)) return out_of_range();
    return config_scalar{value, std::string(written)};
}

result<config_scalar> as_float(std::string_view written) {
    double number = 0;
    const auto failed = std::from_chars(written.data(), written.data() + written.size(), number).ec;
    if (failed != std::errc() || !std::isfinite(number)) {
        return bad("float '" + std::string(written) + "' is out of the range");
    }
    return config_scalar{number, std::string(written)};
}

bool is_real_date(std::string_view text) {
    const auto number = [&](std::size_t at, std::size_t digits) {
        int value = 0;
        for (const char c : text.substr(at, digits)) value = value * 10 + (c - '0');
        return value;
    };
    namespace chr = std::chrono;
    const chr::year_month_day day{chr::year(number(0, 4)),
                                  chr::month(static_cast<unsigned>(number(5, 2))),
                                  chr::day(static_cast<unsigned>(number(8, 2)))};
    return day.ok() && number(11, 2) < 24 && number(14, 2) < 60 && number(17, 2) < 60;
}

/// `2006-01-02T15:04:05Z`, of which the year has been read.
result<config_scalar> read_date(config_cursor& cursor, std::size_t start) {
    constexpr std::string_view shape = "0000-00-00T00:00:00Z";
    const auto complaint = [] {
        return bad("A bare value that begins like a date must be one, as 2006-01-02T15:04:05Z; "
                   "put other text in quotes");
    };
    while (cursor.offset() - start < shape.size()) {
        const char wanted = shape[cursor.offset() - start];
        const char c = cursor.peek();
        if (wanted == '0' ? !is_digit(c) : c != wanted) return complaint();
        cursor.next();
    }
    std::string text(cursor.since(start));
    if (!is_real_date(text)) return complaint();
    return config_scalar{config_datetime{text}, text};
}

/// A float, or an address when a second dot comes. The first dot is next.
result<config_scalar> read_float_or_address(config_cursor& cursor, std::size_t start) {
    cursor.next();
    if (!is_digit(cursor.peek())) return bad("A float needs a digit behind its dot");
    while (is_digit(cursor.peek())) cursor.next();
    if (cursor.peek() != '.') return as_float(cursor.since(start));
    const auto belongs_to_address = [](char c) {
        return is_digit(c) || c == '.' || c == ':' || c == '-';
    };
    while (belongs_to_address(cursor.peek())) cursor.next();
    return text_scalar(std::string(cursor.since(start)));
}

bool is_unit_letter(char c) {
    return std::string_view("kKmMgGtTpPeE").find(c) != std::string_view::npos;
}

/// An integer with a unit; whatever else follows the first letter makes it text.
result<config_scalar> read_unit_or_text(config_cursor& cursor, std::size_t start) {
    cursor.next();
    while (std::string_view("bBiI").find(cursor.peek()) != std::string_view::npos &&
           !cursor.at_end()) {
        cursor.next();
    }
    if (ends_bare_text(cursor)) return as_integer(cursor.since(start));
    return read_bare_text(cursor, start);
}

result<config_scalar> read_number(config_cursor& cursor) {
    const auto start = cursor.offset();
    const bool negative = cursor.take('-');
    if (!is_digit(cursor.peek())) return bad("Expected a digit after '-'");
    while (is_digit(cursor.peek())) cursor.next();
    const char c = cursor.peek();
    if (c == '.') return read_float_or_address(cursor, start);
    if (is_unit_letter(c)) return read_unit_or_text(cursor, start);
    if (c == '-' && !negative) {
        if (cursor.offset() - start == 4) return read_date(cursor, start);
        return bad("A bare value that begins with a number and '-' must be a date; "
                   "put other text in quotes");
    }
    // Behind a negative number anything else is an error, which whoever called will find.
    if (negative || ends_bare_text(cursor)) return as_integer(cursor.since(start));
    return read_bare_text(cursor, start);
}

} // namespace

result<config_scalar> read_config_scalar(config_cursor& cursor) {
    const char c = cursor.peek();
    if (c == '"') return read_double_quoted(cursor);
    if (c == '\'') return read_single_quoted(cursor);
    if (c == '(') return read_block(cursor);
    if (c == '-' || is_digit(c)) return read_number(cursor);
    if (c == '.') return bad("Floats must start with a digit");
    if (is_line_end(c)) return bad("Expected value but found new line");
    return read_bare_text(cursor, cursor.offset());
}

} // namespace pipit::server::detail
