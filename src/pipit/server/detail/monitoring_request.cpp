// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/monitoring_request.hpp>

#include <pipit/base/percent_encoding.hpp>
#include <pipit/protocol/go_text.hpp>

#include <algorithm>
#include <charconv>
#include <concepts>

namespace pipit::server {
namespace {

bool is_control(char c) noexcept { return (c >= 0 && c < ' ') || c == 0x7f; }

/// A decimal number; `complaint` becomes the words of Go's `strconv` when it is none.
template <std::integral Integer>
Integer parse_number(std::string_view text, std::string_view& complaint) {
    auto digits = text;
    // Atoi takes a sign, ParseUint none; from_chars takes a minus only.
    if (std::signed_integral<Integer> && digits.starts_with('+')) {
        digits.remove_prefix(1);
        if (digits.starts_with('-')) digits = {};
    }
    Integer value = 0;
    const auto end = digits.data() + digits.size();
    const auto [stop, failed] = std::from_chars(digits.data(), end, value);
    if (failed == std::errc::invalid_argument || stop != end) {
        complaint = "invalid syntax";
        return 0;
    }
    if (failed != std::errc{}) {
        complaint = "value out of range";
        return 0;
    }
    return value;
}

std::string decoding_error(std::string_view type, std::string_view name, std::string_view function,
                           std::string_view text, std::string_view complaint) {
    return "Error decoding " + std::string(type) + " for '" + std::string(name) + "': strconv." +
           std::string(function) + ": parsing " + protocol::quoted(text) + ": " +
           std::string(complaint);
}

/// Removes the last segment of `path`, which ends with a slash, unless it is the root.
void drop_last_segment(std::string& path) {
    if (path.size() < 2) return;
    path.resize(path.find_last_of('/', path.size() - 2) + 1);
}

} // namespace

std::optional<request_target> parse_target(std::string_view target) {
    if (std::ranges::any_of(target, is_control)) return std::nullopt;
    if (target.starts_with("http://") || target.starts_with("https://")) {
        target.remove_prefix(target.find("//") + 2);
        const auto path = target.find_first_of("/?");
        target.remove_prefix(std::min(path, target.size()));
        // Without a path it is sent on to the first page.
        if (!target.starts_with('/'))
            return request_target{"", target.substr(target.find('?') + 1)};
    }
    if (!target.starts_with('/')) return std::nullopt;
    const auto mark = target.find('?');
    request_target result{target.substr(0, mark), {}};
    if (mark != std::string_view::npos) result.query = target.substr(mark + 1);
    if (!unescaped(result.path, false)) return std::nullopt;
    return result;
}

std::string clean_path(std::string_view path) {
    std::string clean = "/";
    auto ends_open = true; // The last segment was dropped, or was ended by a slash.
    while (!path.empty()) {
        const auto slash = path.find('/');
        const auto segment = path.substr(0, slash);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
        ends_open = slash != std::string_view::npos;
        if (segment.empty() || segment == ".") continue;
        if (segment == "..") {
            drop_last_segment(clean);
            continue;
        }
        clean += segment;
        clean += '/';
    }
    if (!ends_open && clean.size() > 1) clean.pop_back();
    return clean;
}

std::optional<std::string> unescaped(std::string_view text, bool plus_is_space) {
    if (!plus_is_space) return percent_decoded(text);
    std::string spaced(text);
    std::ranges::replace(spaced, '+', ' ');
    return percent_decoded(spaced);
}

parameters::parameters(std::string_view query) {
    while (!query.empty()) {
        const auto end = query.find('&');
        const auto part = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        if (part.empty() || part.find(';') != std::string_view::npos) continue;
        const auto equals = part.find('=');
        auto name = unescaped(part.substr(0, equals), true);
        auto value = unescaped(
            equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1), true);
        if (name && value) values_.emplace_back(std::move(*name), std::move(*value));
    }
}

std::string parameters::text(std::string_view name) const {
    for (const auto& [known, value] : values_) {
        if (known == name) return value;
    }
    return {};
}

bool parameters::flag(std::string_view name) {
    const auto value = text(name);
    for (const auto* yes : {"1", "t", "T", "TRUE", "true", "True"}) {
        if (value == yes) return true;
    }
    for (const auto* no : {"", "0", "f", "F", "FALSE", "false", "False"}) {
        if (value == no) return false;
    }
    complain(decoding_error("boolean", name, "ParseBool", value, "invalid syntax"));
    return false;
}

std::int64_t parameters::integer(std::string_view name) {
    const auto value = text(name);
    if (value.empty()) return 0;
    std::string_view complaint;
    const auto number = parse_number<std::int64_t>(value, complaint);
    if (!complaint.empty()) complain(decoding_error("int", name, "Atoi", value, complaint));
    return number;
}

std::uint64_t parameters::natural(std::string_view name) {
    const auto value = text(name);
    if (value.empty()) return 0;
    std::string_view complaint;
    const auto number = parse_number<std::uint64_t>(value, complaint);
    if (!complaint.empty()) complain(decoding_error("uint64", name, "ParseUint", value, complaint));
    return number;
}

void parameters::complain(std::string text) {
    if (problem_.empty()) problem_ = std::move(text);
}

} // namespace pipit::server
