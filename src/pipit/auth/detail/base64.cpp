// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/detail/base64.hpp>

#include <sodium.h>

namespace pipit::auth::detail {
namespace {

std::optional<std::vector<std::uint8_t>> decode(std::string_view text, int form) {
    std::vector<std::uint8_t> bytes(text.size() / 4 * 3 + 3);
    std::size_t size = 0;
    const char* end = nullptr;
    if (sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size,
                          &end, form) != 0 ||
        end != text.data() + text.size()) {
        return std::nullopt;
    }
    bytes.resize(size);
    return bytes;
}

} // namespace

std::string to_base64url(std::span<const std::uint8_t> bytes) {
    constexpr auto form = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    std::string text(sodium_base64_encoded_len(bytes.size(), form), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), form);
    text.pop_back(); // The zero behind it.
    return text;
}

std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text) {
    return decode(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text) {
    return decode(text, sodium_base64_VARIANT_ORIGINAL);
}

} // namespace pipit::auth::detail
