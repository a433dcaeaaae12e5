// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/detail/error_reader.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/trimmed.hpp>
#include <pipit/protocol/error.hpp>
#include <pipit/protocol/error_texts.hpp>

#include <algorithm>
#include <charconv>

namespace pipit::protocol::detail {
namespace {

/// What stands between the double quotes behind `before`; as it is escaped, if it is.
std::string quoted_behind(bytes_view text, bytes_view before) {
    const auto at = text.find(before);
    if (at == bytes_view::npos) return {};
    const auto begin = at + before.size();
    auto end = begin;
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
    return std::string(text.substr(begin, std::min(end, text.size()) - begin));
}

} // namespace

bytes_view without_quotes(bytes_view text) noexcept { return trimmed(text, " \t\r'"); }

std::optional<sid> parse_sid(bytes_view text) noexcept {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return sid{number};
}

error_received read_error(bytes_view text) {
    using about = error_received::about;
    const auto lower = lower_case(text);
    const bytes_view folded = lower;
    error_received out;
    out.text = text;
    if (folded.starts_with("permissions violation")) {
        const bool is_publish = folded.find("for publish") != bytes_view::npos;
        out.kind = is_publish ? about::publish : about::subscription;
        out.subject = quoted_behind(
            text, folded.find(" reply of \"") != bytes_view::npos ? " of \"" : " to \"");
        out.queue = quoted_behind(text, " using queue \"");
        out.subscription = parse_sid(quoted_behind(text, "(sid \""));
    } else if (folded.starts_with("authorization violation") ||
               folded.starts_with("authentication timeout") ||
               folded.starts_with("user authentication") ||
               folded.starts_with("account authentication")) {
        out.kind = about::authentication;
    } else if (folded.starts_with("maximum ") || folded.starts_with("connection throttling")) {
        out.kind = about::limit;
    }
    return out;
}

bool leaves_connection_open(const error_received& what) {
    using about = error_received::about;
    if (what.kind == about::publish || what.kind == about::subscription) return true;
    const auto lower = lower_case(what.text);
    return lower.starts_with("maximum subscriptions") || lower == "invalid subject" ||
           lower == "invalid publish subject";
}

bool is_about_a_line(const error_received& what) {
    return lower_case(what.text) == error_texts::max_control_line;
}

} // namespace pipit::protocol::detail

namespace pipit::protocol {

error as_error(const error_received& what) {
    using about = error_received::about;
    auto code = errc::refused_by_peer;
    if (what.kind == about::authentication) code = errc::authorization_refused;
    const bool has_subject = what.kind == about::publish || what.kind == about::subscription;
    if (has_subject && !detail::is_about_a_line(what)) code = errc::permission_denied;
    return {code, what.text};
}

} // namespace pipit::protocol
