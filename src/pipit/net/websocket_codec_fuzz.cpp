// SPDX-License-Identifier: Apache-2.0
// Frames are the same whether they come at once or cut, and what was read can be written again.
#include <pipit/base/assert.hpp>
#include <pipit/net/detail/websocket_frames.hpp>

#include <algorithm>

namespace {

using namespace pipit::net;

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const websocket_reader::rules rules{.masks = static_cast<mask_rule>(data[0] % 3),
                                        .allows_compression = (data[0] & 0x80) != 0};
    const auto piece_bytes = std::max<std::size_t>(data[1], 1);
    const pipit::bytes_view wire(reinterpret_cast<const char*>(data) + 2, size - 2);
    const auto whole = detail::frames_in(wire, rules);
    PIPIT_ASSERT(detail::frames_in(wire, rules, 1) == whole);
    PIPIT_ASSERT(detail::frames_in(wire, rules, piece_bytes) == whole);

    std::string again;
    for (const auto& [opcode, payload] : whole.parts) {
        again += detail::frame_of({.opcode = opcode, .mask = detail::some_mask}, payload);
        if (opcode == websocket_opcode::close) (void)parse_close(payload);
    }
    const auto written = detail::frames_in(again, {.masks = mask_rule::required});
    PIPIT_ASSERT(written.parts == whole.parts && written.why.empty());
    return 0;
}
