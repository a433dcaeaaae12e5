// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/json_writer.hpp>

#include <pipit/protocol/go_text.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace pipit::protocol {

void json_writer::begin(char bracket) {
    out_ += bracket;
    ++level_;
    has_values_ <<= 1;
}

void json_writer::end(char bracket) {
    const bool has_values = (has_values_ & 1) != 0;
    --level_;
    has_values_ >>= 1;
    if (has_values) new_line();
    out_ += bracket;
}

void json_writer::key(std::string_view name) {
    separate();
    write(name);
    out_ += indent_.empty() ? ":" : ": ";
}

void json_writer::separate() {
    if ((has_values_ & 1) != 0) out_ += ',';
    has_values_ |= 1;
    new_line();
}

void json_writer::new_line() {
    if (indent_.empty()) return;
    out_ += '\n';
    for (int level = 0; level < level_; ++level) out_ += indent_;
}

void json_writer::write(std::string_view value) { append_json_string(out_, value); }

void json_writer::write(const std::vector<std::string>& values) {
    begin('[');
    for (const auto& value : values) element(value);
    end(']');
}

void json_writer::write(double value) {
    // Go writes the shortest decimal that reads back; JSON has no infinities, and nothing here is
    // ever outside the range where it would use an exponent.
    std::array<char, 512> digits{};
    const auto finite = std::isfinite(value) ? value : 0.0;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), finite,
                                   std::chars_format::fixed)
                         .ptr;
    out_.append(digits.data(), end);
}

} // namespace pipit::protocol
