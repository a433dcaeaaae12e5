// SPDX-License-Identifier: Apache-2.0
// A header is the same whether its bytes come at once or one after the other.
#include <pipit/base/assert.hpp>
#include <pipit/net/proxy_protocol.hpp>

#include <algorithm>

namespace {

using pipit::net::parse_proxy_header;
using pipit::net::proxy_header;

/// As many prefixes as any header's text has, and some of a long binary one.
constexpr std::size_t prefixes_max = 256;

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const pipit::bytes_view input(reinterpret_cast<const char*>(data), size);
    const auto whole = parse_proxy_header(input);
    for (std::size_t count = 0; count < std::min(size, prefixes_max); ++count) {
        const auto part = parse_proxy_header(input.substr(0, count));
        if (part && part->state == proxy_header::status::incomplete) continue;
        // What is decided early stays decided.
        PIPIT_ASSERT(part.has_error() == whole.has_error());
        if (part.has_error()) break;
        PIPIT_ASSERT(part->state == whole->state && part->size == whole->size &&
                     part->source == whole->source);
        break;
    }
    if (whole && whole->state == proxy_header::status::complete) {
        PIPIT_ASSERT(whole->size <= size);
        PIPIT_ASSERT(whole->size <= pipit::net::proxy_header_bytes_max);
    }
    return 0;
}
