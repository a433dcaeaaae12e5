// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/net/websocket_codec.hpp>

#include <string>
#include <utility>
#include <vector>

/// What tests and fuzzers of the WebSocket's parts share.
namespace pipit::net::detail {

/// One frame as text: what `websocket_frame` says, and its payload in the clear.
inline std::string frame_of(websocket_frame frame, bytes_view payload) {
    std::string wire;
    append_frame_header(wire, frame, payload.size());
    const auto begin = wire.size();
    wire += payload;
    if (frame.mask) apply_mask(std::span(wire).subspan(begin), *frame.mask, 0);
    return wire;
}

inline constexpr websocket_mask some_mask{'\x37', '\xfa', '\x21', '\x3d'};

/// A frame of a client.
inline std::string masked(bytes_view payload, websocket_opcode opcode = websocket_opcode::binary) {
    return frame_of({.opcode = opcode, .mask = some_mask}, payload);
}

/// What a reader gave: each message whole, each control frame, and why it stopped.
struct recorded_frames {
    std::vector<std::pair<websocket_opcode, std::string>> parts;
    std::string unfinished; ///< Of a message without an end yet.
    std::string why;        ///< Empty: it did not stop.

    friend bool operator==(const recorded_frames&, const recorded_frames&) = default;
};

/// Reads it in pieces of the given size.
inline recorded_frames frames_in(bytes_view wire, websocket_reader::rules rules,
                                 std::size_t piece_bytes = std::string::npos) {
    websocket_reader reader(rules);
    recorded_frames seen;
    while (!wire.empty()) {
        auto piece = wire.substr(0, piece_bytes);
        wire.remove_prefix(piece.size());
        while (true) {
            const auto next = reader.next(piece);
            if (!next) {
                seen.why = next.error().detail();
                return seen;
            }
            if (!*next) break;
            const auto& part = **next;
            std::string payload(part.payload);
            if (part.is_masked) apply_mask(payload, part.mask, part.mask_offset);
            if (part.opcode != websocket_opcode::binary) {
                seen.parts.emplace_back(part.opcode, payload);
                continue;
            }
            seen.unfinished += payload;
            if (!part.ends_message) continue;
            seen.parts.emplace_back(part.opcode, std::exchange(seen.unfinished, {}));
        }
    }
    return seen;
}

} // namespace pipit::net::detail
