// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_text.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>

namespace pipit::server {
namespace {

template <class... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
    std::array<char, 128> text{};
    const auto length = std::snprintf(text.data(), text.size(), format, arguments...);
    return {text.data(), static_cast<std::size_t>(length)};
}

/// `whole` and the decimals of `fraction` (which has `digits` of them) without trailing zeros.
std::string decimal(std::uint64_t whole, std::uint64_t fraction, int digits) {
    auto text = std::to_string(whole);
    if (fraction == 0) return text;
    auto decimals = formatted("%0*llu", digits, static_cast<unsigned long long>(fraction));
    decimals.erase(decimals.find_last_not_of('0') + 1);
    return text + '.' + decimals;
}

std::uint32_t code_point(std::string_view sequence) noexcept {
    constexpr std::array<unsigned, 5> lead_mask{0, 0x7f, 0x1f, 0x0f, 0x07};
    auto value = static_cast<unsigned char>(sequence[0]) & lead_mask[sequence.size()];
    for (const auto next : sequence.substr(1)) {
        value = value << 6 | (static_cast<unsigned char>(next) & 0x3f);
    }
    return value;
}

/// What a terminal would not show, or would take for a space or for nothing.
bool is_invisible(std::uint32_t value) noexcept {
    return value <= 0xa0 || value == 0xad || (value >= 0x2000 && value <= 0x200f) ||
           (value >= 0x2028 && value <= 0x202f) || (value >= 0x205f && value <= 0x206f) ||
           (value >= 0xe000 && value <= 0xf8ff) || value == 0x3000 || value == 0xfeff;
}

std::string quoted_ascii(char c) {
    switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\a': return "\\a";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case '\v': return "\\v";
    default:
        if (c >= ' ' && c < 0x7f) return {c};
        return formatted("\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
}

} // namespace

std::string rfc3339(wall_time time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(seconds - day);
    const auto fraction = static_cast<std::uint64_t>((time - seconds).count());
    return formatted("%04d-%02u-%02uT%02d:%02d:", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     static_cast<int>(clock.hours().count()),
                     static_cast<int>(clock.minutes().count())) +
           (clock.seconds().count() < 10 ? "0" : "") +
           decimal(static_cast<std::uint64_t>(clock.seconds().count()), fraction, 9) + 'Z';
}

std::string uptime_text(nanoseconds duration) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
    const auto minutes = seconds / 60;
    const auto hours = minutes / 60;
    const auto days = hours / 24;
    const auto years = days / 365;
    std::string text;
    if (years > 0) text += std::to_string(years) + 'y';
    if (days > 0) text += std::to_string(days % 365) + 'd';
    if (hours > 0) text += std::to_string(hours % 24) + 'h';
    if (minutes > 0) text += std::to_string(minutes % 60) + 'm';
    return text + std::to_string(seconds % 60) + 's';
}

std::size_t utf8_length(std::string_view text) noexcept {
    if (text.empty()) return 0;
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
    }
    if (length < 3) return length;
    const auto value = code_point(text.substr(0, length));
    const auto overlong = value < (length == 3 ? 0x800u : 0x10000u);
    const auto surrogate = value >= 0xd800 && value <= 0xdfff;
    return overlong || surrogate || value > 0x10ffff ? 0 : length;
}

std::string quoted(std::string_view text) {
    std::string result = "\"";
    while (!text.empty()) {
        const auto length = utf8_length(text);
        if (length < 2) {
            result += quoted_ascii(text[0]);
            text.remove_prefix(1);
            continue;
        }
        const auto value = code_point(text.substr(0, length));
        if (!is_invisible(value)) {
            result += text.substr(0, length);
        } else {
            result += formatted(value > 0xffff ? "\\U%08x" : "\\u%04x", value);
        }
        text.remove_prefix(length);
    }
    return result + '"';
}

} // namespace pipit::server
