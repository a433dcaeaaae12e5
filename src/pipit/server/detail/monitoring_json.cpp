// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_json.hpp>

#include <pipit/protocol/go_text.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace pipit::server {

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

void json_writer::write(std::string_view value) { protocol::append_json_string(text_, value); }

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
