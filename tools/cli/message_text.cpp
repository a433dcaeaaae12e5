// SPDX-License-Identifier: Apache-2.0
#include <cli/message_text.hpp>

#include <cli/drawing.hpp>
#include <pipit/base/base64.hpp>
#include <pipit/base/utf8.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace pipit::cli {
namespace {

namespace json = boost::json;

/// JSON is UTF-8, and others choose these bytes: what is none becomes U+FFFD, as in Go.
std::string as_utf8(bytes_view text) {
    std::string valid;
    while (!text.empty()) {
        const auto first = decode_utf8(text);
        valid += first.valid ? text.substr(0, first.length) : bytes_view("\xef\xbf\xbd");
        text.remove_prefix(first.length);
    }
    return valid;
}

/// A name may repeat: its values are an array where there are several.
json::object headers_object(const protocol::headers& headers, bool always_arrays) {
    json::object object;
    for (const auto& [name_bytes, value_bytes] : headers) {
        const auto name = as_utf8(name_bytes), value = as_utf8(value_bytes);
        auto& slot = object[name];
        if (slot.is_null()) {
            slot = always_arrays ? json::value(json::array{value}) : json::value(value);
        } else if (auto* const values = slot.if_array()) {
            values->emplace_back(value);
        } else {
            slot = json::array{slot, value};
        }
    }
    return object;
}

} // namespace

std::string received_line(std::uint64_t number, const shown_message& message, std::string_view when,
                          bool coloured) {
    auto line = painted("[#" + std::to_string(number) + "]", colour::dim, coloured);
    if (!when.empty()) line += " @ " + std::string(when);
    line += " Received on \"" + painted(message.subject, colour::green, coloured) + "\"";
    if (!message.reply.empty()) line += " with reply \"" + std::string(message.reply) + "\"";
    return line;
}

std::string header_lines(const protocol::headers& headers) {
    std::string text;
    if (headers.status() != 0) {
        text = "status " + std::to_string(headers.status());
        if (!headers.description().empty()) text += " " + std::string(headers.description());
        text += '\n';
    }
    for (const auto& [name, value] : headers) text += name + ": " + value + '\n';
    return text;
}

std::string message_line(std::uint64_t number, wall_time when, const shown_message& message) {
    json::object line{{"number", number}, {"time", utc_text(when)}};
    line["subject"] = as_utf8(message.subject);
    if (!message.reply.empty()) line["reply"] = as_utf8(message.reply);
    if (message.headers.status() != 0) line["status"] = message.headers.status();
    if (message.headers.size() > 0) line["headers"] = headers_object(message.headers, false);
    if (is_utf8(message.payload)) {
        line["payload"] = message.payload;
    } else {
        line["payload_base64"] = to_base64(message.payload);
    }
    return json::serialize(line);
}

std::string dumped_message(const shown_message& message) {
    json::object object{{"Subject", as_utf8(message.subject)}, {"Reply", as_utf8(message.reply)}};
    object["Header"] = message.headers.size() == 0
                           ? json::value()
                           : json::value(headers_object(message.headers, true));
    object["Data"] = to_base64(message.payload);
    object["Sub"] = nullptr;
    return json::serialize(object);
}

std::optional<std::pair<std::string, std::string>> parse_header(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    auto value = text.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
        value.remove_prefix(1);
    auto name = text.substr(0, colon);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    protocol::headers valid;
    if (!valid.append(name, value)) return std::nullopt;
    return std::pair(std::string(name), std::string(value));
}

std::string safe_for_terminal(bytes_view text) {
    std::string safe;
    safe.reserve(text.size());
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.front());
        const auto first = decode_utf8(text);
        const bool is_control =
            (byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7f ||
            (first.valid && byte == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
        if (first.valid && !is_control) {
            safe += text.substr(0, first.length);
            text.remove_prefix(first.length);
        } else {
            safe += fmt::format("\\x{:02x}", byte);
            text.remove_prefix(1);
        }
    }
    return safe;
}

std::string utc_text(wall_time when) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::microseconds>(when - day));
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

} // namespace pipit::cli
