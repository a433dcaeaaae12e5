// SPDX-License-Identifier: Apache-2.0
// Whatever comes, cut or whole, gives the same plain bytes and the same end; and what one side
// sends the other reads.
#include <pipit/base/assert.hpp>
#include <pipit/net/websocket_filter.hpp>

#include <algorithm>
#include <array>

namespace {

using namespace pipit::net;
using pipit::bytes_view;

struct compressing_gate final : websocket_gate {
    [[nodiscard]] websocket_verdict judge(const websocket_request&) const override {
        return {.compresses = true};
    }
};

struct outcome {
    std::string plain;
    bool failed = false;
    bool finished = false;
    friend bool operator==(const outcome&, const outcome&) = default;
};

outcome read(bytes_view wire, std::size_t piece_bytes, bool opened, websocket_deflate& deflate) {
    static const compressing_gate gate;
    websocket_server_filter filter(gate, deflate);
    outcome seen;
    std::string answers;
    if (opened) {
        (void)filter.receive(
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
            seen.plain, answers);
        PIPIT_ASSERT(filter.is_open());
    }
    while ((!wire.empty() || filter.holds_more()) && !seen.failed) {
        const auto piece = wire.substr(0, piece_bytes);
        wire.remove_prefix(piece.size());
        seen.failed = !filter.receive(piece, seen.plain, answers);
        answers.clear();
    }
    seen.finished = filter.is_finished();
    return seen;
}

void check_sending(bytes_view payload, websocket_deflate& deflate) {
    static const compressing_gate gate;
    websocket_server_filter server(gate, deflate);
    websocket_client_filter client({"h:1", "/", payload.size() % 2 == 0}, deflate,
                                   pipit::random_source(payload.size()));
    std::string ignored;
    std::string to_server;
    std::string to_client;
    PIPIT_ASSERT(client.begin(to_server));
    PIPIT_ASSERT(server.receive(to_server, ignored, to_client));
    to_server.clear();
    PIPIT_ASSERT(client.receive(to_client, ignored, to_server));
    const std::array pieces{payload};
    std::string plain;
    PIPIT_ASSERT(client.send(pieces, to_server));
    PIPIT_ASSERT(server.receive(to_server, plain, ignored));
    PIPIT_ASSERT(plain == payload);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static websocket_deflate deflate;
    if (size < 2) return 0;
    const bytes_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto piece_bytes = std::max<std::size_t>(data[0] >> 1, 1);
    if ((data[0] & 1) != 0) {
        const auto whole = read(wire, wire.size(), true, deflate);
        PIPIT_ASSERT(read(wire, piece_bytes, true, deflate) == whole);
        PIPIT_ASSERT(read(wire, 1, true, deflate) == whole);
        check_sending(wire.substr(0, pipit::limits::websocket_first_message_bytes), deflate);
    } else {
        (void)read(wire, wire.size(), false, deflate);
        (void)read(wire, piece_bytes, false, deflate);
    }
    return 0;
}
