// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/config_digest.hpp>

#include <pipit/auth/digest.hpp>
#include <pipit/base/hex.hpp>
#include <pipit/protocol/go_text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace pipit::server {
namespace {

/// As JavaScript writes numbers.
void append_float(std::string& json, double value) {
    std::array<char, 400> buffer{};
    const auto magnitude = std::abs(value);
    const bool scientific = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
    const auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
    const auto* const end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
    std::string text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
    const auto padded = text.find("e-0");
    if (padded != std::string::npos) text.erase(padded + 2, 1);
    json += text;
}

void append_map(std::string& json, const config_map& map);

void append_value(std::string& json, const config_value& value) {
    if (const auto* text = value.as<std::string>()) {
        protocol::append_json_string(json, *text);
    } else if (const auto* integer = value.as<std::int64_t>()) {
        json += std::to_string(*integer);
    } else if (const auto* number = value.as<double>()) {
        append_float(json, *number);
    } else if (const auto* boolean = value.as<bool>()) {
        json += *boolean ? "true" : "false";
    } else if (const auto* date = value.as<config_datetime>()) {
        protocol::append_json_string(json, date->text);
    } else if (const auto* array = value.as<config_array>()) {
        json += '[';
        for (const auto& element : *array) {
            if (&element != array->data()) json += ',';
            append_value(json, element);
        }
        json += ']';
    } else {
        append_map(json, *value.as<config_map>());
    }
}

void append_map(std::string& json, const config_map& map) {
    std::vector<const config_entry*> sorted;
    sorted.reserve(map.size());
    for (const auto& entry : map) sorted.push_back(&entry);
    std::sort(sorted.begin(), sorted.end(),
              [](const auto* a, const auto* b) { return a->key < b->key; });
    json += '{';
    for (const auto* entry : sorted) {
        if (entry != sorted.front()) json += ',';
        protocol::append_json_string(json, entry->key);
        json += ':';
        append_value(json, entry->value);
    }
    json += '}';
}

} // namespace

std::string canonical_json(const config_map& map) {
    std::string json;
    append_map(json, map);
    return json + '\n';
}

std::string config_digest(const config_map& map) {
    const auto digest = auth::sha256(canonical_json(map));
    return "sha256:" + to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

} // namespace pipit::server
