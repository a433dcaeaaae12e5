// SPDX-License-Identifier: Apache-2.0
#include <cli/units.hpp>

#include <pipit/server/duration_text.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace pipit::cli {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::optional<double> unit_factor(std::string_view unit) {
    while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
    if (unit.empty() || unit == "b" || unit == "B") return 1;
    const auto power = std::string_view("kmgt").find(lower(unit.front()));
    if (power == std::string_view::npos) return std::nullopt;
    unit.remove_prefix(1);
    if (!unit.empty() && unit.front() == 'i') unit.remove_prefix(1);
    if (!unit.empty() && lower(unit.front()) != 'b') return std::nullopt;
    if (unit.size() > 1) return std::nullopt;
    return std::pow(1024.0, static_cast<double>(power + 1));
}

} // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
    const auto number = text.substr(0, text.find_first_not_of("0123456789."));
    double value = 0;
    const auto* const end = number.data() + number.size();
    const auto read = std::from_chars(number.data(), end, value, std::chars_format::fixed);
    if (number.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
    const auto factor = unit_factor(text.substr(number.size()));
    if (!factor || value * *factor > 9e18) return std::nullopt;
    return static_cast<std::uint64_t>(std::llround(value * *factor));
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
    if (text.empty() || !is_digit(text.front()) || !is_digit(text.back())) return std::nullopt;
    std::uint64_t value = 0;
    for (const auto c : text) {
        if (c == '_' || c == ',') continue;
        if (!is_digit(c)) return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
        value = value * 10 + digit;
    }
    return value;
}

std::optional<nanoseconds> parse_time_span(std::string_view text) {
    constexpr std::uint64_t longest_in_days = 36'500;
    nanoseconds days{};
    if (const auto end = text.find('d'); end != std::string_view::npos) {
        const auto count = parse_count(text.substr(0, end));
        if (!count || *count > longest_in_days) return std::nullopt;
        days = std::chrono::hours(24 * *count);
        text.remove_prefix(end + 1);
        if (text.empty()) return days;
    }
    const auto rest = server::parse_duration(text);
    if (!rest || *rest < nanoseconds::zero()) return std::nullopt;
    if (*rest > nanoseconds::max() - days) return std::nullopt;
    return days + *rest;
}

std::string size_text(double bytes) {
    constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; bytes >= 1023.5 && unit + 1 < units.size(); ++unit) bytes /= 1024;
    if (unit == 0) return fmt::format("{:.0f} B", bytes);
    return fmt::format("{:.{}f} {}", bytes, bytes < 99.95 ? 1 : 0, units.at(unit));
}

std::string count_text(std::uint64_t count) {
    auto text = std::to_string(count);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
        text.insert(static_cast<std::size_t>(at), 1, ',');
    }
    return text;
}

std::string time_span_text(nanoseconds duration) {
    const auto count = static_cast<double>(duration.count());
    const auto scaled = [](double value, std::string_view unit) {
        return fmt::format("{:.{}f}{}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0, unit);
    };
    if (count < 0) return "-" + time_span_text(-duration);
    if (count < 1000) return fmt::format("{}ns", duration.count());
    if (count < 999.5e3) return scaled(count / 1e3, "µs");
    if (count < 999.5e6) return scaled(count / 1e6, "ms");
    if (count < 60e9) return scaled(count / 1e9, "s");
    return server::duration_text(std::chrono::round<std::chrono::seconds>(duration));
}

std::string seconds_text(nanoseconds duration) {
    return fmt::format("{:.9f}", static_cast<double>(duration.count()) / 1e9);
}

} // namespace pipit::cli
