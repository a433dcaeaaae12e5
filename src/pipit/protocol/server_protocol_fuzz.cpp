// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/detail/session_fuzz.hpp>
#include <pipit/protocol/server_protocol.hpp>

namespace {

using namespace pipit;
using namespace pipit::protocol;

struct teller {
    std::string& told;

    void operator()(const connect_received& e) const { told += "C" + e.options.user; }
    void operator()(const publication_received& e) const {
        const auto& m = e.message;
        for (const auto part : {m.subject, m.reply, m.headers, m.payload}) (told += " P") += part;
    }
    void operator()(const subscription_received& e) const {
        for (const auto& part : {e.subject, e.queue, e.sid}) (told += " S") += part;
    }
    void operator()(const unsubscription_received& e) const {
        (told += " U") += e.sid;
        told += std::to_string(e.max);
    }
    void operator()(const session_closed& e) const { (told += " E") += text(e.reason); }
};

/// What a server tells and sends. Small limits, so that they are met.
std::string transcript_of(bytes_view wire, std::size_t step, bool with_auth) {
    server_options options;
    options.info.headers = true;
    options.info.max_payload = 100;
    options.info.auth_required = with_auth;
    options.max_control_line_bytes = 200;
    server_protocol server(options, {});
    std::string told, sent;
    protocol::detail::feed(server, wire, step, [&] {
        while (const auto event = server.next_event()) {
            std::visit(teller{told}, *event);
            if (!with_auth || !std::holds_alternative<connect_received>(*event)) continue;
            if (server.client().user == "no") {
                server.refuse();
            } else {
                server.accept();
            }
        }
        sent += server.pending_output();
        server.consume_output(server.pending_output().size());
    });
    return told + "\n" + sent;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    for (const bool with_auth : {false, true}) {
        protocol::detail::compare_steps(data, size, [&](bytes_view wire, std::size_t step) {
            return transcript_of(wire, step, with_auth);
        });
    }
    return 0;
}
