// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/error_texts.hpp>

#include <pipit/protocol/detail/utf8.hpp>

namespace pipit::protocol::error_texts {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_hex(std::string& out, std::uint32_t value, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
        out += hex_digits[(value >> shift) & 0xf];
    }
}

struct range {
    std::uint32_t first, last;
};

/// What Go calls not printable, for the characters that exist in practice: controls, spaces other
/// than U+0020, format characters, surrogates, private use and non-characters.
constexpr range unprintable[] = {
    {0x00, 0x1f},     {0x7f, 0xa0},     {0xad, 0xad},     {0x61c, 0x61c},   {0x1680, 0x1680},
    {0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000},
    {0xd800, 0xf8ff}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0x10ffff},
};

bool is_printable(std::uint32_t code_point) {
    for (const auto& [first, last] : unprintable) {
        if (code_point >= first && code_point <= last) return false;
    }
    return true;
}

void append_escaped_ascii(std::string& out, char byte) {
    switch (byte) {
    case '\a': out += "\\a"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\v': out += "\\v"; return;
    default: break;
    }
    out += "\\x";
    append_hex(out, static_cast<unsigned char>(byte), 2);
}

std::string with_quoted(std::string_view before, bytes_view name) {
    std::string out(before);
    append_quoted(out, name);
    return out;
}

} // namespace

void append_quoted(std::string& out, bytes_view text) {
    out += '"';
    while (!text.empty()) {
        const auto decoded = detail::decode_utf8(text);
        const auto bytes = text.substr(0, decoded.length);
        if (!decoded.valid) {
            out += "\\x";
            append_hex(out, static_cast<unsigned char>(text.front()), 2);
        } else if (bytes == "\"" || bytes == "\\") {
            out += '\\';
            out += bytes;
        } else if (is_printable(decoded.code_point)) {
            out += bytes;
        } else if (decoded.code_point < 0x80) {
            append_escaped_ascii(out, text.front());
        } else {
            const bool wide = decoded.code_point > 0xffff;
            out += wide ? "\\U" : "\\u";
            append_hex(out, decoded.code_point, wide ? 8 : 4);
        }
        text.remove_prefix(decoded.length);
    }
    out += '"';
}

std::string publish_violation(bytes_view subject) {
    return with_quoted("Permissions Violation for Publish to ", subject);
}

std::string reply_violation(bytes_view reply) {
    return with_quoted("Permissions Violation for Publish with Reply of ", reply);
}

std::string subscription_violation(bytes_view subject, bytes_view queue) {
    auto out = with_quoted("Permissions Violation for Subscription to ", subject);
    if (queue.empty()) return out;
    out += " using queue ";
    append_quoted(out, queue);
    return out;
}

std::string subscription_too_many_tokens(bytes_view subject) {
    return subscription_violation(subject, {}) + ", too many tokens";
}

std::string subscription_withdrawn(bytes_view subject, bytes_view queue, bytes_view sid) {
    auto out = subscription_violation(subject, queue);
    out += " (sid ";
    append_quoted(out, sid);
    return out += ')';
}

} // namespace pipit::protocol::error_texts
