// SPDX-License-Identifier: Apache-2.0
// A text is refused or is the one text of its key.
#include <pipit/auth/nkey.hpp>
#include <pipit/base/assert.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto key = pipit::auth::decode_public_nkey(text)) {
        PIPIT_ASSERT(pipit::auth::encode(*key) == text);
    }
    if (const auto seed = pipit::auth::decode_nkey_seed(text)) {
        PIPIT_ASSERT(pipit::auth::encode(*seed) == text);
    }
    return 0;
}
