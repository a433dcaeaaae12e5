// SPDX-License-Identifier: Apache-2.0
#include <pipit/sim/web_link.hpp>

#include <pipit/base/assert.hpp>

#include <algorithm>
#include <cstring>

namespace pipit::sim {
namespace {

web_link::arrived receive(net::websocket_filter& at, bytes_view wire) {
    web_link::arrived carried;
    carried.failed = !at.receive(wire, carried.plain, carried.answer);
    carried.ended = carried.failed || at.is_finished();
    return carried;
}

} // namespace

net::websocket_verdict web_link::open_gate::judge(const net::websocket_request&) const {
    return {.compresses = true};
}

web_link::web_link(random_source& random, bool compresses)
    : random_(random),
      client_({.host = "simulated", .path = {}, .compression = compresses}, deflate_,
              random_source(random())) {}

std::string web_link::request() {
    std::string wire;
    PIPIT_ASSERT(client_.begin(wire));
    return wire;
}

std::string web_link::from_client(bytes_view plain) {
    std::string wire;
    while (!plain.empty()) {
        const auto part =
            plain.substr(0, 1 + random_.below(static_cast<std::uint32_t>(plain.size())));
        plain.remove_prefix(part.size());
        if (random_.below(3) == 0) {
            append_fragments(part, wire);
        } else {
            PIPIT_ASSERT(client_.send({&part, 1}, wire));
        }
    }
    return wire;
}

/// One message in frames that a client of other people's might send, also empty ones.
void web_link::append_fragments(bytes_view plain, std::string& wire) {
    for (bool is_first = true, is_last = false; !is_last; is_first = false) {
        const auto part =
            plain.substr(0, random_.below(static_cast<std::uint32_t>(plain.size()) + 1));
        plain.remove_prefix(part.size());
        is_last = plain.empty();
        const auto its_mask = mask();
        net::append_frame_header(wire,
                                 {.opcode = is_first ? net::websocket_opcode::binary
                                                     : net::websocket_opcode::continuation,
                                  .is_final = is_last,
                                  .mask = its_mask},
                                 part.size());
        const auto begin = wire.size();
        wire += part;
        net::apply_mask(std::span(wire).subspan(begin), its_mask, 0);
        if (random_.below(8) == 0) {
            net::append_control_frame(wire, net::websocket_opcode::ping, "there?", mask());
        }
    }
}

net::websocket_mask web_link::mask() {
    const auto number = random_();
    net::websocket_mask made;
    std::memcpy(made.data(), &number, made.size());
    return made;
}

std::string web_link::from_server(std::span<const bytes_view> plain) {
    std::string wire;
    PIPIT_ASSERT(server_.send(plain, wire));
    return wire;
}

std::string web_link::end_of_server() {
    std::string wire;
    server_.finish(wire);
    return wire;
}

web_link::arrived web_link::to_server(bytes_view wire, std::size_t message_bytes_max) {
    server_.set_message_bytes_max(message_bytes_max);
    return receive(server_, wire);
}

web_link::arrived web_link::to_client(bytes_view wire) {
    auto all = receive(client_, wire);
    while (client_.holds_more()) {
        auto more = receive(client_, {});
        all.plain += more.plain;
        all.answer += more.answer;
        all.failed = all.failed || more.failed;
        all.ended = all.ended || more.ended;
    }
    return all;
}

} // namespace pipit::sim
