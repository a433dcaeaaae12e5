// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/duration_text.hpp>

#include <array>
#include <cstdint>
#include <limits>

namespace pipit::server {
namespace {

struct duration_unit {
    std::string_view name;
    std::uint64_t nanoseconds;
};
constexpr std::uint64_t second = 1'000'000'000;
constexpr std::array duration_units = {
    duration_unit{"ns", 1},          duration_unit{"us", 1000},
    duration_unit{"µs", 1000},       duration_unit{"μs", 1000}, // The micro sign and the letter mu.
    duration_unit{"ms", 1000000},    duration_unit{"s", second},
    duration_unit{"m", 60 * second}, duration_unit{"h", 3600 * second},
};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The unit at the beginning of the text: everything up to the next number.
const duration_unit* take_unit(std::string_view& text) {
    std::size_t length = 0;
    while (length < text.size() && !is_digit(text[length]) && text[length] != '.') ++length;
    for (const auto& unit : duration_units) {
        if (unit.name != text.substr(0, length)) continue;
        text.remove_prefix(length);
        return &unit;
    }
    return nullptr;
}

/// One `1.5h`; false when it is none or does not fit.
bool take_part(std::string_view& text, std::uint64_t& sum) {
    constexpr auto most = std::uint64_t{1} << 63;
    std::uint64_t whole = 0;
    double fraction = 0;
    double place_value = 1;
    bool any_digit = false;
    for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), any_digit = true) {
        if (whole > most / 10) return false;
        whole = whole * 10 + static_cast<std::uint64_t>(text[0] - '0');
    }
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), any_digit = true) {
            place_value /= 10;
            fraction += place_value * (text[0] - '0');
        }
    }
    const auto* unit = any_digit ? take_unit(text) : nullptr;
    if (!unit || whole > most / unit->nanoseconds) return false;
    const auto part = static_cast<double>(unit->nanoseconds) * fraction;
    sum += whole * unit->nanoseconds + static_cast<std::uint64_t>(part + 0.5);
    return sum <= most;
}

/// A number of `unit`s with as many digits behind the dot as it needs.
std::string with_fraction(std::uint64_t value, std::uint64_t unit) {
    auto text = std::to_string(value / unit);
    auto rest = value % unit;
    if (rest == 0) return text;
    text += '.';
    while (rest != 0) {
        unit /= 10;
        text += static_cast<char>('0' + rest / unit);
        rest %= unit;
    }
    return text;
}

} // namespace

std::optional<nanoseconds> parse_duration(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text == "0") return nanoseconds(0);
    if (text.empty()) return std::nullopt;
    std::uint64_t sum = 0;
    while (!text.empty()) {
        if (!take_part(text, sum)) return std::nullopt;
    }
    constexpr auto highest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (negative && sum == highest + 1) return nanoseconds::min();
    if (sum > highest) return std::nullopt;
    return nanoseconds(negative ? -static_cast<std::int64_t>(sum) : static_cast<std::int64_t>(sum));
}

std::string duration_text(nanoseconds duration) {
    const auto count = duration.count();
    const auto value = count < 0 ? ~static_cast<std::uint64_t>(count) + 1 // The lowest one too.
                                 : static_cast<std::uint64_t>(count);
    const std::string sign = count < 0 ? "-" : "";
    if (value == 0) return "0s";
    if (value < 1000) return sign + std::to_string(value) + "ns";
    if (value < 1000000) return sign + with_fraction(value, 1000) + "µs";
    if (value < second) return sign + with_fraction(value, 1000000) + "ms";
    auto text = with_fraction(value % (60 * second), second) + "s";
    const auto minutes = value / (60 * second);
    if (minutes > 0) text = std::to_string(minutes % 60) + "m" + text;
    if (minutes >= 60) text = std::to_string(minutes / 60) + "h" + text;
    return sign + text;
}

} // namespace pipit::server
