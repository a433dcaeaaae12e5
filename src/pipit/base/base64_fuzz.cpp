// SPDX-License-Identifier: Apache-2.0
// A text is refused or is the one text of its bytes, and all bytes have one.
#include <pipit/base/assert.hpp>
#include <pipit/base/base64.hpp>

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const pipit::bytes_view input(reinterpret_cast<const char*>(data), size);
    if (const auto bytes = pipit::from_base64(input)) {
        PIPIT_ASSERT(pipit::to_base64(*bytes) == input);
    }
    if (const auto bytes = pipit::from_base64url(input)) {
        PIPIT_ASSERT(pipit::to_base64url(*bytes) == input);
    }
    PIPIT_ASSERT(pipit::from_base64(pipit::to_base64(input)) == input);
    PIPIT_ASSERT(pipit::from_base64url(pipit::to_base64url(input)) == input);
    return 0;
}
