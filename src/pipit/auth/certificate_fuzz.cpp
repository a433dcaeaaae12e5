// SPDX-License-Identifier: Apache-2.0
// A certificate is read from all of its bytes, and not from a part of them; what it says of its
// holder is the same each time.
#include <pipit/auth/certificate.hpp>
#include <pipit/base/assert.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const pipit::bytes_view input(reinterpret_cast<const char*>(data), size);
    const auto read = pipit::auth::read_certificate(input);
    if (!read) return 0;
    PIPIT_ASSERT(!pipit::auth::read_certificate(input.substr(0, size - 1)));
    const auto again = pipit::auth::read_certificate(input);
    PIPIT_ASSERT(again && again->subject == read->subject && again->sha256 == read->sha256);
    PIPIT_ASSERT(read->sha256.size() == 64 && read->subject.starts_with(read->common_subject));
    return 0;
}
