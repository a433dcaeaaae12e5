// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/go_text.hpp>

#include <pipit/base/utf8.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>

namespace pipit::protocol {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_hex(std::string& out, std::uint32_t value, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
        out += hex_digits[(value >> shift) & 0xf];
    }
}

struct range {
    std::uint32_t first, last;
};

/// What Go calls not printable, for the characters that exist in practice: controls, spaces other
/// than U+0020, format characters, surrogates, private use and non-characters.
constexpr range unprintable[] = {
    {0x00, 0x1f},     {0x7f, 0xa0},     {0xad, 0xad},     {0x61c, 0x61c},   {0x1680, 0x1680},
    {0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000},
    {0xd800, 0xf8ff}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0x10ffff},
};

bool is_printable(std::uint32_t code_point) {
    for (const auto& [first, last] : unprintable) {
        if (code_point >= first && code_point <= last) return false;
    }
    return true;
}

void append_escaped_ascii(std::string& out, char byte) {
    switch (byte) {
    case '\a': out += "\\a"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\v': out += "\\v"; return;
    default: break;
    }
    out += "\\x";
    append_hex(out, static_cast<unsigned char>(byte), 2);
}

bool is_plain_in_json(char byte) {
    const auto c = static_cast<unsigned char>(byte);
    return c >= ' ' && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

std::string date_and_time(std::chrono::sys_seconds seconds, nanoseconds rest) {
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(seconds - day);
    std::array<char, 64> text{};
    const auto length = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%09lld",
        static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
        static_cast<long long>(rest.count()));
    std::string out(text.data(), static_cast<std::size_t>(length));
    out.erase(out.find_last_not_of('0') + 1);
    if (out.ends_with('.')) out.pop_back();
    return out + 'Z';
}

} // namespace

void append_quoted(std::string& out, bytes_view text) {
    out += '"';
    while (!text.empty()) {
        const auto decoded = decode_utf8(text);
        const auto bytes = text.substr(0, decoded.length);
        if (!decoded.valid) {
            out += "\\x";
            append_hex(out, static_cast<unsigned char>(text.front()), 2);
        } else if (bytes == "\"" || bytes == "\\") {
            out += '\\';
            out += bytes;
        } else if (is_printable(decoded.code_point)) {
            out += bytes;
        } else if (decoded.code_point < 0x80) {
            append_escaped_ascii(out, text.front());
        } else {
            const bool wide = decoded.code_point > 0xffff;
            out += wide ? "\\U" : "\\u";
            append_hex(out, decoded.code_point, wide ? 8 : 4);
        }
        text.remove_prefix(decoded.length);
    }
    out += '"';
}

std::string quoted(bytes_view text) {
    std::string out;
    append_quoted(out, text);
    return out;
}

void append_json_string(std::string& out, bytes_view text) {
    out += '"';
    while (!text.empty()) {
        const auto plain = std::find_if_not(text.begin(), text.end(), is_plain_in_json);
        out.append(text.begin(), plain);
        text.remove_prefix(static_cast<std::size_t>(plain - text.begin()));
        if (text.empty()) break;
        const auto decoded = decode_utf8(text);
        const auto bytes = text.substr(0, decoded.length);
        text.remove_prefix(decoded.length);
        const auto c = decoded.code_point;
        if (!decoded.valid) {
            out += "\\ufffd";
        } else if (c == '"' || c == '\\') {
            out += '\\';
            out += bytes;
        } else if (c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t') {
            out += '\\';
            out += c == '\b' ? 'b' : c == '\f' ? 'f' : c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
        } else if (c < ' ' || c == '<' || c == '>' || c == '&') {
            out += "\\u00";
            out += hex_digits[c >> 4];
            out += hex_digits[c & 0xf];
        } else if (c == 0x2028 || c == 0x2029) {
            out += c == 0x2028 ? "\\u2028" : "\\u2029";
        } else {
            out += bytes;
        }
    }
    out += '"';
}

std::string rfc3339(std::optional<wall_time> time) {
    if (!time) return "0001-01-01T00:00:00Z";
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*time);
    return date_and_time(seconds, *time - seconds);
}

std::string rfc3339(std::chrono::sys_seconds time) { return date_and_time(time, {}); }

} // namespace pipit::protocol
