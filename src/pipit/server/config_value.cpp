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

} // namespace pipit::server
