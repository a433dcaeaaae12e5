// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/client_protocol.hpp>
#include <pipit/protocol/detail/session_fuzz.hpp>

namespace {

using namespace pipit;
using namespace pipit::protocol;

/// What a client tells and sends, up to the end of its first connection.
std::string transcript_of(bytes_view wire, std::size_t step) {
    client_protocol client({.servers = {{.host = "a"}}}, random_source(1));
    std::string told;
    bool over = false;
    const auto drain = [&] {
        while (!over) {
            const auto event = client.next_event();
            if (!event) return;
            told += static_cast<char>('A' + event->index());
            if (std::holds_alternative<open_requested>(*event)) client.transport_opened({});
            if (std::holds_alternative<tls_requested>(*event)) over = true;
            if (std::holds_alternative<connect_requested>(*event)) client.connect({});
            if (std::holds_alternative<disconnected>(*event)) over = true;
            if (const auto* message = std::get_if<message_received>(&*event)) {
                for (const auto part :
                     {message->subject, message->reply, message->headers, message->payload}) {
                    (told += ' ') += part;
                }
            }
            if (const auto* refused = std::get_if<error_received>(&*event)) {
                told += refused->text + refused->subject + refused->queue;
            }
        }
    };
    (void)client.subscribe("a");
    const auto limited = client.subscribe("b", "q");
    client.unsubscribe(*limited, 2);
    client.start({});
    drain();
    std::string sent;
    protocol::detail::feed(client, over ? bytes_view() : wire, step, [&] {
        drain();
        sent += client.pending_output();
        client.consume_output(client.pending_output().size());
    });
    // What was queued when the connection ended depends on how much was taken at once.
    return over ? told : told + sent;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    protocol::detail::compare_steps(data, size, transcript_of);
    return 0;
}
