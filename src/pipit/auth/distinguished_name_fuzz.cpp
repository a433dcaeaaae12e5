// SPDX-License-Identifier: Apache-2.0
// What is read from a text equals what is read from that name written out again.
#include <pipit/auth/distinguished_name.hpp>
#include <pipit/base/assert.hpp>
#include <pipit/base/bytes.hpp>

#include <string>

namespace {

using pipit::auth::distinguished_name;

void append_escaped(std::string& text, const std::string& value) {
    for (const char byte : value) {
        constexpr auto digits = "0123456789abcdef";
        text += '\\';
        text += digits[static_cast<unsigned char>(byte) / 16];
        text += digits[static_cast<unsigned char>(byte) % 16];
    }
}

std::string written(const distinguished_name& name) {
    std::string text;
    for (const auto& part : name.parts) {
        if (!text.empty()) text += ',';
        for (const auto& attribute : part) {
            if (&attribute != &part.front()) text += '+';
            append_escaped(text, attribute.type);
            text += '=';
            append_escaped(text, attribute.value);
        }
    }
    return text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const pipit::bytes_view input(reinterpret_cast<const char*>(data), size);
    const auto read = distinguished_name::parse(input);
    if (!read) return 0;
    const auto again = distinguished_name::parse(written(*read));
    PIPIT_ASSERT(again && again->equals(*read) && again->has_the_parts_of(*read));
    return 0;
}
