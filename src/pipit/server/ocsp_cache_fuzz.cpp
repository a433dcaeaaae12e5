// SPDX-License-Identifier: Apache-2.0
// What is read from a file of answers is the same after it was written and read again.
#include <pipit/base/assert.hpp>
#include <pipit/base/ocsp_limits.hpp>
#include <pipit/server/detail/s2_stream.hpp>
#include <pipit/server/ocsp_cache.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pipit::server;
    const pipit::bytes_view input(reinterpret_cast<const char*>(data), size);
    const auto unpacked = unpack_s2(input, pipit::limits::ocsp_response_bytes);
    PIPIT_ASSERT(!unpacked || unpacked->size() <= pipit::limits::ocsp_response_bytes);
    const auto read = read_ocsp_answers(input);
    if (!read) return 0;
    const auto again = read_ocsp_answers(write_ocsp_answers(*read));
    PIPIT_ASSERT(again && again->size() == read->size());
    for (const auto& [key, one] : *read) {
        const auto found = again->find(key);
        PIPIT_ASSERT(found != again->end() && found->second.answer == one.answer &&
                     found->second.status == one.status);
    }
    return 0;
}
