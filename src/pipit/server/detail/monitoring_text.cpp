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

} // namespace pipit::server
