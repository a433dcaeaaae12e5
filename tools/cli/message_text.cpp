// SPDX-License-Identifier: Apache-2.0
#include <cli/message_text.hpp>

#include <cli/drawing.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace pipit::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes of the character that begins here, or 0 when it is none.
std::size_t character_size(bytes_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
    }
    const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
    const bool surrogate = first == 0xed && byte(1) > 0x9f;
    const bool too_high = first == 0xf4 && byte(1) > 0x8f;
    return overlong || surrogate || too_high ? 0 : size;
}

/// A name may repeat: its values are an array where there are several.
json::object headers_object(const protocol::headers& headers, bool always_arrays) {
    json::object object;
    for (const auto& [name, value] : headers) {
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
    line["subject"] = message.subject;
    if (!message.reply.empty()) line["reply"] = message.reply;
    if (message.headers.status() != 0) line["status"] = message.headers.status();
    if (message.headers.size() > 0) line["headers"] = headers_object(message.headers, false);
    if (is_valid_utf8(message.payload)) {
        line["payload"] = message.payload;
    } else {
        line["payload_base64"] = base64(message.payload);
    }
    return json::serialize(line);
}

std::string dumped_message(const shown_message& message) {
    json::object object{{"Subject", message.subject}, {"Reply", message.reply}};
    object["Header"] = message.headers.size() == 0
                           ? json::value()
                           : json::value(headers_object(message.headers, true));
    object["Data"] = base64(message.payload);
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

bool is_valid_utf8(bytes_view text) noexcept {
    while (!text.empty()) {
        const auto size = character_size(text);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return true;
}

std::string safe_for_terminal(bytes_view text) {
    std::string safe;
    safe.reserve(text.size());
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.front());
        auto size = character_size(text);
        const bool is_control =
            (byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7f ||
            (size == 2 && byte == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
        if (size == 0 || is_control) {
            safe += fmt::format("\\x{:02x}", byte);
            size = 1;
        } else {
            safe += text.substr(0, size);
        }
        text.remove_prefix(size);
    }
    return safe;
}

std::string base64(bytes_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto byte = [&](std::size_t at) {
            return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0u;
        };
        const auto group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        text += base64_alphabet[group >> 18 & 63];
        text += base64_alphabet[group >> 12 & 63];
        text += i + 1 < bytes.size() ? base64_alphabet[group >> 6 & 63] : '=';
        text += i + 2 < bytes.size() ? base64_alphabet[group & 63] : '=';
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string bytes;
    std::uint32_t pending = 0;
    int pending_bits = 0;
    for (const auto c : text) {
        const auto value = base64_alphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        pending = (pending << 6 | static_cast<std::uint32_t>(value)) & 0xffff;
        pending_bits += 6;
        if (pending_bits < 8) continue;
        pending_bits -= 8;
        bytes += static_cast<char>(pending >> pending_bits);
    }
    if (pending_bits == 6) return std::nullopt; // A single character says nothing.
    return bytes;
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
