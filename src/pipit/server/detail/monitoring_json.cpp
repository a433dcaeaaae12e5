// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_json.hpp>

#include <pipit/server/detail/monitoring_text.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace pipit::server {
namespace {

/// The escape of one ASCII character, or nothing when it stands for itself.
std::string_view escape_of(char c) noexcept {
    switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case '<': return "\\u003c";
    case '>': return "\\u003e";
    case '&': return "\\u0026";
    default: return {};
    }
}

} // namespace

void json_writer::begin(char bracket) {
    text_ += bracket;
    has_values_.push_back(false);
}

void json_writer::end(char bracket) {
    const auto has_values = has_values_.back();
    has_values_.pop_back();
    if (has_values) new_line();
    text_ += bracket;
}

void json_writer::key(std::string_view name) {
    separate();
    write(name);
    text_ += indent_.empty() ? ":" : ": ";
}

void json_writer::separate() {
    if (has_values_.back()) text_ += ',';
    has_values_.back() = true;
    new_line();
}

void json_writer::new_line() {
    if (indent_.empty()) return;
    text_ += '\n';
    for (std::size_t level = 0; level < has_values_.size(); ++level) text_ += indent_;
}

void json_writer::members(std::string_view name, const std::vector<std::string>& values) {
    begin_array(name);
    for (const auto& value : values) element(value);
    end_array();
}

void json_writer::write(std::string_view value) {
    constexpr std::string_view hex = "0123456789abcdef";
    text_ += '"';
    while (!value.empty()) {
        const auto length = utf8_length(value);
        const auto c = value[0];
        const auto sequence = value.substr(0, length);
        if (length == 0) {
            text_ += "\\ufffd";
        } else if (const auto escape = escape_of(c); !escape.empty()) {
            text_ += escape;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            text_ += "\\u00";
            text_ += hex[static_cast<std::size_t>(c) >> 4];
            text_ += hex[static_cast<std::size_t>(c) & 15];
        } else if (sequence == "\u2028") {
            text_ += "\\u2028";
        } else if (sequence == "\u2029") {
            text_ += "\\u2029";
        } else {
            text_ += sequence;
        }
        value.remove_prefix(length == 0 ? 1 : length);
    }
    text_ += '"';
}

void json_writer::write(double value) {
    // Go writes the shortest decimal that reads back; JSON has no infinities, and nothing here is
    // ever outside the range where it would use an exponent.
    std::array<char, 512> digits{};
    const auto finite = std::isfinite(value) ? value : 0.0;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), finite,
                                   std::chars_format::fixed)
                         .ptr;
    text_.append(digits.data(), end);
}

} // namespace pipit::server
