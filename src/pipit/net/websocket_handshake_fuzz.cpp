// SPDX-License-Identifier: Apache-2.0
// A head is read when its end has come, and says the same when it is written again from its fields;
// nothing that came is repeated in an answer but what was checked.
#include <pipit/base/assert.hpp>
#include <pipit/net/websocket_handshake.hpp>

namespace {

using namespace pipit::net;

std::string written(const http_head& head) {
    std::string text(head.start_line);
    text += "\r\n";
    for (const auto& [name, value] : head.fields) {
        text.append(name).append(": ").append(value).append("\r\n");
    }
    return text + "\r\n";
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const pipit::bytes_view input(reinterpret_cast<const char*>(data), size);
    const auto read = parse_http_head(input);
    if (!read || !*read) return 0;
    const auto& head = **read;
    PIPIT_ASSERT(head.bytes <= size);
    // Without the last byte of its end it is not there.
    const auto less = parse_http_head(input.substr(0, head.bytes - 1));
    PIPIT_ASSERT(less && !*less);

    const auto text = written(head);
    const auto again = parse_http_head(text);
    PIPIT_ASSERT(again && *again);
    PIPIT_ASSERT((*again)->start_line == head.start_line && (*again)->fields == head.fields);

    if (const auto request = read_websocket_request(head)) {
        PIPIT_ASSERT(request->path.starts_with('/') && !request->host.empty());
        const auto answer = websocket_response(request->key, {.compresses = true});
        const auto answered = parse_http_head(answer);
        PIPIT_ASSERT(answered && *answered && (*answered)->bytes == answer.size());
        PIPIT_ASSERT(
            read_websocket_response(**answered, {.key = request->key, .offers_compression = true}));
    }
    (void)read_websocket_response(head, {.key = "dGhlIHNhbXBsZSBub25jZQ=="});
    return 0;
}
