// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/config_digest.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <sodium.h>

namespace pipit::server {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

struct code_point {
    char32_t value = 0;
    std::size_t length = 0; ///< 0: these bytes are not UTF-8.
};

code_point decode_utf8(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
    char32_t value = lead & (0xffu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        value = (value << 6) | (byte(i) & 0x3fu);
    }
    constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < smallest[length] || value > 0x10ffff || surrogate) return {};
    return {value, length};
}

void append_unicode_escape(std::string& json, char32_t value) {
    json += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) json += hex_digits[(value >> shift) & 15];
}

void append_character(std::string& json, std::string_view bytes, char32_t value) {
    switch (value) {
    case '"': json += "\\\""; return;
    case '\\': json += "\\\\"; return;
    case '\b': json += "\\b"; return;
    case '\f': json += "\\f"; return;
    case '\n': json += "\\n"; return;
    case '\r': json += "\\r"; return;
    case '\t': json += "\\t"; return;
    default: break;
    }
    // Go's JSON is safe inside of HTML and JavaScript.
    const bool escaped = value < 0x20 || value == '<' || value == '>' || value == '&' ||
                         value == 0x2028 || value == 0x2029;
    if (escaped) {
        append_unicode_escape(json, value);
    } else {
        json += bytes;
    }
}

void append_string(std::string& json, std::string_view text) {
    json += '"';
    while (!text.empty()) {
        const auto [value, length] = decode_utf8(text);
        if (length == 0) {
            append_unicode_escape(json, 0xfffd);
        } else {
            append_character(json, text.substr(0, length), value);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    json += '"';
}

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
        append_string(json, *text);
    } else if (const auto* integer = value.as<std::int64_t>()) {
        json += std::to_string(*integer);
    } else if (const auto* number = value.as<double>()) {
        append_float(json, *number);
    } else if (const auto* boolean = value.as<bool>()) {
        json += *boolean ? "true" : "false";
    } else if (const auto* date = value.as<config_datetime>()) {
        append_string(json, date->text);
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
        append_string(json, entry->key);
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
    const auto json = canonical_json(map);
    std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
    crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(json.data()),
                       json.size());
    std::string digest = "sha256:";
    for (const auto byte : hash) digest += {hex_digits[byte >> 4], hex_digits[byte & 15]};
    return digest;
}

} // namespace pipit::server
