// SPDX-License-Identifier: Apache-2.0
// The system's tables of time zones (TZif, RFC 8536), read without the process's own zone being
// changed, as the C library would.
#include <pipit/server/time_zone.hpp>

#include <array>
#include <charconv>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

namespace pipit::server {
namespace {

constexpr std::size_t table_bytes_max = 1024 * 1024;
constexpr std::int64_t day = 86400;

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
    const auto quotient = value / by;
    return quotient - (value % by < 0 ? 1 : 0);
}
std::int64_t floor_modulo(std::int64_t value, std::int64_t by) {
    return value - floor_divide(value, by) * by;
}

/// Days since 1970 of a date. Source: the proleptic Gregorian calendar.
std::int64_t days_of(std::int64_t year, int month, int day_of_month) {
    const auto shifted = year - (month <= 2 ? 1 : 0);
    const auto era = floor_divide(shifted, 400);
    const auto year_of_era = shifted - era * 400;
    const auto day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day_of_month - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

std::int64_t year_of(std::int64_t utc) {
    auto year = 1970 + floor_divide(utc, 31556952);
    while (days_of(year + 1, 1, 1) * day <= utc) ++year;
    while (days_of(year, 1, 1) * day > utc) --year;
    return year;
}

/// `CET-1CEST,M3.5.0,M10.5.0/3`: what holds behind the last entry of a table.
class rule_reader {
public:
    explicit rule_reader(std::string_view text) : rest_(text) {}

    /// The offset then; nothing: the text is no rule.
    std::optional<std::int64_t> offset_at(std::int64_t utc) {
        std::int64_t standard = 0;
        if (!skip_name() || !read_time(standard)) return std::nullopt;
        standard = -standard; // West counts positive here.
        if (rest_.empty()) return standard;
        std::int64_t summer = standard + 3600;
        if (!skip_name()) return std::nullopt;
        if (!rest_.starts_with(',')) {
            if (!read_time(summer)) return std::nullopt;
            summer = -summer;
        }
        const auto begin = read_change();
        const auto end = read_change();
        if (!begin || !end || !rest_.empty()) return std::nullopt;
        const auto year = year_of(utc + standard);
        const auto from = second_of(*begin, year) - standard;
        const auto until = second_of(*end, year) - summer;
        const bool is_summer =
            from < until ? utc >= from && utc < until : utc >= from || utc < until;
        return is_summer ? summer : standard;
    }

private:
    struct change {
        char kind = 'M'; ///< M: month, week and weekday; J: a day without 29 February; 0: with.
        int month = 0, week = 0, day = 0;
        std::int64_t time = 7200;
    };

    bool skip_name() {
        if (rest_.starts_with('<')) {
            const auto end = rest_.find('>');
            if (end == std::string_view::npos) return false;
            rest_.remove_prefix(end + 1);
            return true;
        }
        const auto before = rest_.size();
        while (!rest_.empty() &&
               ((rest_[0] >= 'A' && rest_[0] <= 'Z') || (rest_[0] >= 'a' && rest_[0] <= 'z'))) {
            rest_.remove_prefix(1);
        }
        return rest_.size() != before;
    }
    bool skip(char wanted) {
        if (!rest_.starts_with(wanted)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool read_number(int& to) {
        const auto read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), to);
        if (read.ec != std::errc() || to < 0 || to > 1000) return false;
        rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
        return true;
    }
    /// `3`, `-1:30`, `24:00:00`
    bool read_time(std::int64_t& to) {
        const bool negative = rest_.starts_with('-');
        if (negative || rest_.starts_with('+')) rest_.remove_prefix(1);
        int hours = 0, minutes = 0, seconds = 0;
        if (!read_number(hours)) return false;
        if (skip(':') && !read_number(minutes)) return false;
        if (skip(':') && !read_number(seconds)) return false;
        to = hours * 3600 + minutes * 60 + seconds;
        if (negative) to = -to;
        return true;
    }
    std::optional<change> read_change() {
        change read;
        if (!skip(',')) return std::nullopt;
        if (skip('M')) {
            if (!read_number(read.month) || !skip('.') || !read_number(read.week) || !skip('.') ||
                !read_number(read.day) || read.month < 1 || read.month > 12 || read.week < 1 ||
                read.week > 5 || read.day > 6) {
                return std::nullopt;
            }
        } else {
            read.kind = skip('J') ? 'J' : '0';
            if (!read_number(read.day) || read.day > 366) return std::nullopt;
        }
        if (skip('/') && !read_time(read.time)) return std::nullopt;
        return read;
    }
    /// In that year's local time, as if it were UTC.
    static std::int64_t second_of(const change& when, std::int64_t year) {
        if (when.kind != 'M') {
            const bool leaps = days_of(year, 3, 1) - days_of(year, 2, 28) == 2;
            auto number = when.kind == 'J' ? when.day - 1 : when.day;
            if (when.kind == 'J' && leaps && when.day >= 60) ++number;
            return (days_of(year, 1, 1) + number) * day + when.time;
        }
        const auto first = days_of(year, when.month, 1);
        const auto next =
            when.month == 12 ? days_of(year + 1, 1, 1) : days_of(year, when.month + 1, 1);
        const auto weekday = floor_modulo(first + 4, 7); // 1970 began on a Thursday.
        auto found = first + floor_modulo(when.day - weekday, 7) + (when.week - 1) * 7;
        while (found >= next) found -= 7;
        return found * day + when.time;
    }

    std::string_view rest_;
};

class table {
public:
    explicit table(std::string_view bytes) : bytes_(bytes) {}

    std::optional<std::int64_t> offset_at(std::int64_t utc) const {
        const auto first = header_at(0);
        if (!first || first->version < '2') return std::nullopt;
        const auto begin = header_bytes + first->body_bytes(4);
        const auto header = header_at(begin);
        if (!header) return std::nullopt;
        const auto body = begin + header_bytes;
        const auto end = body + header->body_bytes(8);
        if (end > bytes_.size()) return std::nullopt;
        const auto types = body + header->times * 9;
        // The number of the last change before that time.
        std::size_t passed = 0;
        while (passed < header->times &&
               static_cast<std::int64_t>(number_at(body + passed * 8, 8)) <= utc) {
            ++passed;
        }
        if (passed == header->times) {
            auto footer = bytes_.substr(end);
            if (footer.starts_with('\n')) footer.remove_prefix(1);
            footer = footer.substr(0, footer.find('\n'));
            if (const auto by_rule = rule_reader(footer).offset_at(utc)) return by_rule;
        }
        std::size_t type = 0;
        if (passed > 0) type = number_at(body + header->times * 8 + passed - 1, 1);
        if (type >= header->types) return std::nullopt;
        return static_cast<std::int32_t>(number_at(types + type * 6, 4));
    }

private:
    static constexpr std::size_t header_bytes = 44;
    struct counts {
        char version = 0;
        std::size_t utc_marks = 0, wall_marks = 0, leaps = 0, times = 0, types = 0, names = 0;
        [[nodiscard]] std::size_t body_bytes(std::size_t time_bytes) const {
            return times * (time_bytes + 1) + types * 6 + names + leaps * (time_bytes + 4) +
                   wall_marks + utc_marks;
        }
    };

    [[nodiscard]] std::uint64_t number_at(std::size_t at, std::size_t size) const {
        std::uint64_t number = 0;
        for (std::size_t i = 0; i < size; ++i) {
            number = number << 8 | static_cast<std::uint8_t>(bytes_[at + i]);
        }
        return number;
    }
    [[nodiscard]] std::optional<counts> header_at(std::size_t at) const {
        if (at + header_bytes > bytes_.size() || bytes_.substr(at, 4) != "TZif") {
            return std::nullopt;
        }
        const auto count = [&](std::size_t index) { return number_at(at + 20 + index * 4, 4); };
        const counts read{bytes_[at + 4], count(0), count(1), count(2),
                          count(3),       count(4), count(5)};
        // Each of them is at least a byte.
        for (std::size_t i = 0; i < 6; ++i) {
            if (count(i) > bytes_.size()) return std::nullopt;
        }
        return read;
    }

    std::string_view bytes_;
};

bool is_place(std::string_view name) {
    for (const char c : name) {
        const bool is_usual = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+' ||
                              c == '/';
        if (!is_usual) return false;
    }
    return name.size() < 100 && !name.starts_with('/');
}

std::optional<std::int64_t> offset_of(const std::string& place, std::int64_t utc) {
    if (place == "UTC") return 0;
    if (!is_place(place)) return std::nullopt;
    std::ifstream file("/usr/share/zoneinfo/" + place, std::ios::binary);
    if (!file) return std::nullopt;
    std::string bytes(table_bytes_max, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    return table(bytes).offset_at(utc);
}

std::optional<std::int64_t> own_offset(std::int64_t utc) {
    const auto time = static_cast<std::time_t>(utc);
    std::tm local{};
    if (::localtime_r(&time, &local) == nullptr) return std::nullopt;
    return local.tm_gmtoff;
}

} // namespace

std::optional<local_time> local_time_at(const std::string& place, std::int64_t utc) {
    const auto offset = place.empty() || place == "Local" ? own_offset(utc) : offset_of(place, utc);
    if (!offset) return std::nullopt;
    return local_time{std::chrono::seconds(floor_modulo(utc + *offset, day)),
                      std::chrono::seconds(*offset)};
}

} // namespace pipit::server
