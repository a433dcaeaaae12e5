// SPDX-License-Identifier: Apache-2.0
#include <cli/templates.hpp>

#include <cli/units.hpp>

#include <pipit/base/trimmed.hpp>
#include <pipit/protocol/subject.hpp>

#include <fmt/format.h>

#include <optional>

namespace pipit::cli {
namespace {

constexpr std::uint64_t random_text_max = std::uint64_t{64} * 1024 * 1024;

std::string_view take_word(std::string_view& text) {
    text = trimmed(text, " ");
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

/// A moment in the local time's calendar.
struct local_time {
    std::chrono::year_month_day date;
    std::chrono::hh_mm_ss<std::chrono::seconds> clock;

    explicit local_time(const template_values& values) {
        const auto seconds =
            std::chrono::floor<std::chrono::seconds>(values.now) + values.utc_offset;
        const auto day = std::chrono::floor<std::chrono::days>(seconds);
        date = std::chrono::year_month_day(day);
        clock = std::chrono::hh_mm_ss<std::chrono::seconds>(seconds - day);
    }
};

std::string kitchen_time(const template_values& values) {
    const local_time now(values);
    const auto hour = now.clock.hours().count();
    return fmt::format("{}:{:02}{}", (hour + 11) % 12 + 1, now.clock.minutes().count(),
                       hour < 12 ? "AM" : "PM");
}

std::string time_stamp(const template_values& values) {
    const local_time now(values);
    const auto minutes = values.utc_offset.count() / 60;
    const auto zone = minutes == 0 ? std::string("Z")
                                   : fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+',
                                                 std::abs(minutes) / 60, std::abs(minutes) % 60);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}", static_cast<int>(now.date.year()),
                       static_cast<unsigned>(now.date.month()),
                       static_cast<unsigned>(now.date.day()), now.clock.hours().count(),
                       now.clock.minutes().count(), now.clock.seconds().count(), zone);
}

std::optional<std::string> token_of(std::string_view subject, std::string_view number) {
    const auto wanted = parse_count(number);
    if (!wanted || subject.empty()) return std::nullopt;
    std::uint64_t index = 0;
    for (const auto token : protocol::tokens(subject)) {
        if (index++ == *wanted) return std::string(token);
    }
    return std::nullopt;
}

} // namespace

filled_text template_filler::fill(std::string_view text, const template_values& values) {
    filled_text filled;
    auto rest = text;
    for (auto begin = rest.find("{{"); begin != std::string_view::npos; begin = rest.find("{{")) {
        const auto end = rest.find("}}", begin);
        if (end == std::string_view::npos) {
            return {std::string(text), "'{{' is not closed by '}}'"};
        }
        filled.text += rest.substr(0, begin);
        filled.text += value_of(trimmed(rest.substr(begin + 2, end - begin - 2), " "), values,
                                filled.complaint);
        if (!filled.complaint.empty()) return {std::string(text), filled.complaint};
        rest.remove_prefix(end + 2);
    }
    filled.text += rest;
    return filled;
}

std::string template_filler::value_of(std::string_view expression, const template_values& values,
                                      std::string& complaint) {
    auto arguments = expression;
    auto name = take_word(arguments);
    if (name.starts_with('.')) name.remove_prefix(1);
    if (name == "Random") return random_text(arguments, complaint);
    if (trimmed(arguments, " ").empty()) {
        if (name == "Count" || name == "Cnt") return std::to_string(values.count);
        if (name == "Time") return kitchen_time(values);
        if (name == "TimeStamp") return time_stamp(values);
        const auto since_1970 = values.now.time_since_epoch();
        if (name == "Unix") {
            return std::to_string(std::chrono::floor<std::chrono::seconds>(since_1970).count());
        }
        if (name == "UnixNano") return std::to_string(since_1970.count());
        if (name == "ID") return names_.next();
        if (name == "Request") return std::string(values.request);
        if (name == "Subject") return std::string(values.subject);
        if (auto token = token_of(values.subject, name)) return *token;
    }
    constexpr std::size_t shown_bytes_max = 40; // It may be the middle of any file.
    const bool is_long = expression.size() > shown_bytes_max;
    complaint = "there is no template {{" + std::string(expression.substr(0, shown_bytes_max)) +
                (is_long ? "…" : "}}");
    return {};
}

std::string template_filler::random_text(std::string_view arguments, std::string& complaint) {
    const auto shortest = parse_count(take_word(arguments));
    const auto longest = parse_count(take_word(arguments));
    const bool valid = shortest && longest && *shortest <= *longest && *longest <= random_text_max;
    if (!valid || !trimmed(arguments, " ").empty()) {
        complaint = "{{Random}} takes a smallest and a largest length, as {{Random 10 100}}";
        return {};
    }
    constexpr std::string_view letters =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const auto spread = static_cast<std::uint32_t>(*longest - *shortest + 1);
    std::string text(static_cast<std::size_t>(*shortest + random_.below(spread)), ' ');
    for (auto& c : text) c = letters[random_.below(letters.size())];
    return text;
}

} // namespace pipit::cli
