// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/base64.hpp>

#include <cstdint>

namespace pipit {
namespace {

constexpr std::string_view standard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view for_urls =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(bytes_view bytes, std::string_view alphabet) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t pending = 0;
    int pending_bits = 0;
    for (const char byte : bytes) {
        pending = pending << 8 | static_cast<unsigned char>(byte);
        for (pending_bits += 8; pending_bits >= 6;) {
            pending_bits -= 6;
            text += alphabet[pending >> pending_bits & 63];
        }
    }
    if (pending_bits > 0) text += alphabet[pending << (6 - pending_bits) & 63];
    return text;
}

std::optional<std::uint32_t> value_of(char c, std::string_view alphabet) noexcept {
    if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a' + 26);
    if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0' + 52);
    if (c == alphabet[62]) return 62;
    if (c == alphabet[63]) return 63;
    return std::nullopt;
}

std::optional<std::string> decode(std::string_view text, std::string_view alphabet) {
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t pending = 0;
    int pending_bits = 0;
    for (const char c : text) {
        const auto value = value_of(c, alphabet);
        if (!value) return std::nullopt;
        pending = pending << 6 | *value;
        pending_bits += 6;
        if (pending_bits < 8) continue;
        pending_bits -= 8;
        bytes += static_cast<char>(pending >> pending_bits & 0xff);
    }
    const bool says_more = (pending & ((1u << pending_bits) - 1)) != 0;
    // A single character is less than a byte.
    if (says_more || pending_bits == 6) return std::nullopt;
    return bytes;
}

} // namespace

std::string to_base64(bytes_view bytes) {
    auto text = encode(bytes, standard);
    while (text.size() % 4 != 0) text += '=';
    return text;
}

std::string to_base64url(bytes_view bytes) { return encode(bytes, for_urls); }

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    return decode(text, standard);
}

std::optional<std::string> from_base64url(std::string_view text) { return decode(text, for_urls); }

} // namespace pipit
