// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/config_value.hpp>

#include <array>

namespace pipit::server {

std::string config_place::to_text() const {
    return (file ? *file : std::string()) + ":" + std::to_string(line) + ":" +
           std::to_string(column);
}

config_value::config_value() = default;
config_value::config_value(data_type data, std::string written, config_place place)
    : data_(std::move(data)), written_(std::move(written)), place_(std::move(place)) {}
config_value::~config_value() = default;
config_value::config_value(const config_value&) = default;
config_value::config_value(config_value&&) noexcept = default;
config_value& config_value::operator=(const config_value&) = default;
config_value& config_value::operator=(config_value&&) noexcept = default;

std::string_view config_value::kind() const noexcept {
    // In the order of the variant's alternatives.
    constexpr std::array<std::string_view, 7> names = {
        "a string", "an integer", "a float", "a boolean", "a date", "an array", "a map"};
    return names[data_.index()];
}

std::string in_quotes(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            result += {'\\', c};
        } else if (c == '\n') {
            result += "\\n";
        } else if (c == '\t') {
            result += "\\t";
        } else if (c == '\r') {
            result += "\\r";
        } else if (code < 0x20 || code == 0x7f) {
            constexpr std::string_view digits = "0123456789abcdef";
            result += {'\\', 'x', digits[code >> 4], digits[code & 15]};
        } else {
            result += c;
        }
    }
    return result + '"';
}

} // namespace pipit::server
