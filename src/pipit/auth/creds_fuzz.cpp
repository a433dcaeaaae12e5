// SPDX-License-Identifier: Apache-2.0
// What is read from a file can be written to another one that reads the same.
#include <pipit/auth/creds.hpp>
#include <pipit/base/assert.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto creds = pipit::auth::read_creds(text);
    const auto seed = pipit::auth::read_seed(text);
    if (!creds) return 0;
    PIPIT_ASSERT(seed && pipit::auth::encode(*seed) == pipit::auth::encode(creds->seed));
    const auto written = "---a---\n" + creds->jwt + "\n---b---\n\n---c---\n" +
                         pipit::auth::encode(creds->seed) + "\n---d---\n";
    const auto again = pipit::auth::read_creds(written);
    PIPIT_ASSERT(again && again->jwt == creds->jwt);
    PIPIT_ASSERT(pipit::auth::encode(again->seed) == pipit::auth::encode(creds->seed));
    return 0;
}
