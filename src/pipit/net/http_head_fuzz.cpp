// SPDX-License-Identifier: Apache-2.0
// A head is the same whether its bytes come at once or one after the other, and its canonical form
// is its own.
#include <pipit/base/assert.hpp>
#include <pipit/net/http_head.hpp>

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using pipit::net::http_head_end;
    const pipit::bytes_view input(reinterpret_cast<const char*>(data), size);
    http_head_end whole, parts;
    const auto found = whole.look_at(input);
    auto cut = http_head_end::status::incomplete;
    for (std::size_t count = 1; count <= size && cut == http_head_end::status::incomplete;
         ++count) {
        cut = parts.look_at(input.substr(0, count));
    }
    PIPIT_ASSERT(cut == found && parts.size() == whole.size());
    if (found != http_head_end::status::complete) return 0;
    PIPIT_ASSERT(whole.size() <= size);
    const auto canonical = pipit::net::canonical_http_head(input.substr(0, whole.size()));
    PIPIT_ASSERT(canonical.ends_with("\r\n\r\n"));
    PIPIT_ASSERT(pipit::net::canonical_http_head(canonical) == canonical);
    http_head_end again;
    PIPIT_ASSERT(again.look_at(canonical) == found && again.size() == canonical.size());
    return 0;
}
