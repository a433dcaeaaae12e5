// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/log_line.hpp>

#include <cstdio>
#include <ctime>

namespace pipit::server {
namespace {

struct label {
    std::string_view color;
    std::string_view text;
};

label label_of(log_level level) noexcept {
    switch (level) {
    case log_level::info: return {"32", "INF"};
    case log_level::warning: return {"0;93", "WRN"};
    case log_level::error: return {"31", "ERR"};
    case log_level::fatal: return {"31", "FTL"};
    case log_level::debug: return {"36", "DBG"};
    case log_level::trace: return {"33", "TRC"};
    }
    return {"0", "???"};
}

struct calendar_time {
    std::tm parts{};
    long nanoseconds = 0;
};

calendar_time calendar_time_of(wall_time time, bool in_utc) {
    const auto since_epoch = time.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    const std::time_t count = seconds.count();
    calendar_time calendar;
    calendar.nanoseconds = static_cast<long>((since_epoch - seconds).count());
    in_utc ? ::gmtime_r(&count, &calendar.parts) : ::localtime_r(&count, &calendar.parts);
    return calendar;
}

bool are_digits(std::string_view text) noexcept {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

} // namespace

std::string log_line(const log_prefix& prefix, log_level level, wall_time time,
                     std::string_view text) {
    std::string line = "[" + std::to_string(prefix.pid) + "] ";
    line.reserve(64 + text.size());
    if (prefix.with_time) {
        const auto at = calendar_time_of(time, prefix.in_utc);
        char stamp[48];
        const auto size = std::snprintf(
            stamp, sizeof(stamp), "%04d/%02d/%02d %02d:%02d:%02d.%06ld ", at.parts.tm_year + 1900,
            at.parts.tm_mon + 1, at.parts.tm_mday, at.parts.tm_hour, at.parts.tm_min,
            at.parts.tm_sec, at.nanoseconds / 1000);
        line.append(stamp, static_cast<std::size_t>(size));
    }
    const auto [color, name] = label_of(level);
    line += '[';
    if (prefix.in_colors) line.append("\x1b[").append(color).append("m");
    line += name;
    if (prefix.in_colors) line += "\x1b[0m";
    line.append("] ").append(text) += '\n';
    return line;
}

std::string backup_name(std::string_view file, wall_time time) {
    const auto at = calendar_time_of(time, false);
    char stamp[48];
    const auto size =
        std::snprintf(stamp, sizeof(stamp), ".%04d.%02d.%02d.%02d.%02d.%02d.%09ld",
                      at.parts.tm_year + 1900, at.parts.tm_mon + 1, at.parts.tm_mday,
                      at.parts.tm_hour, at.parts.tm_min, at.parts.tm_sec, at.nanoseconds);
    return std::string(file).append(stamp, static_cast<std::size_t>(size));
}

bool is_backup_name(std::string_view file, std::string_view name) {
    if (!name.starts_with(file)) return false;
    name.remove_prefix(file.size());
    for (const std::size_t digits : {4u, 2u, 2u, 2u, 2u, 2u, 9u}) {
        if (name.size() < 1 + digits || name[0] != '.') return false;
        if (!are_digits(name.substr(1, digits))) return false;
        name.remove_prefix(1 + digits);
    }
    return name.empty();
}

} // namespace pipit::server
