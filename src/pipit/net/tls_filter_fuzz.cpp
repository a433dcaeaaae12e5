// SPDX-License-Identifier: Apache-2.0
// A server's TLS gives nothing but what an honest client said, whatever is done to the bytes on the
// way; and bytes that no client made give nothing, whole or cut.
#include <pipit/base/assert.hpp>
#include <pipit/net/test_certificates.hpp>
#include <pipit/net/tls_filter.hpp>

#include <algorithm>
#include <string>

namespace {

using pipit::bytes_view;
using pipit::net::tls_context;
using pipit::net::tls_filter;

struct contexts {
    contexts() {
        const auto pair = issuer.issue();
        server =
            tls_context::for_server(
                {.key_pairs = {pair}, .authorities_file = issuer.file(), .verifies_peer = true})
                .value();
        client = tls_context::for_client({.key_pairs = {issuer.issue()},
                                          .authorities_file = issuer.file(),
                                          .verifies_peer = true})
                     .value();
    }
    pipit::net::test::authority issuer;
    std::shared_ptr<const tls_context> server;
    std::shared_ptr<const tls_context> client;
};

const contexts& shared_contexts() {
    static const contexts made;
    return made;
}

constexpr bytes_view said = "CONNECT {}\r\nPING\r\n";
/// What a server may want to say of a handshake: its certificate and an alert.
constexpr std::size_t answer_bytes_max = 20000;

/// Bytes that are the fuzzer's own.
void check_bytes_alone(bytes_view input) {
    bool failed[2] = {};
    const std::size_t parts[2] = {std::max<std::size_t>(input.size(), 1), 1};
    for (int i = 0; i < 2; ++i) {
        tls_filter server(shared_contexts().server);
        std::string plain;
        std::string wire;
        for (std::size_t at = 0; at < input.size() && !failed[i]; at += parts[i]) {
            failed[i] = !server.receive(input.substr(at, parts[i]), plain, wire);
        }
        PIPIT_ASSERT(plain.empty() && !server.is_open() && wire.size() <= answer_bytes_max);
    }
    PIPIT_ASSERT(failed[0] == failed[1]);
}

/// A conversation in which each two bytes of the input do something to the client's next bytes.
void check_conversation(bytes_view input) {
    tls_filter server(shared_contexts().server);
    tls_filter client(shared_contexts().client, "localhost");
    std::string to_server;
    std::string to_client;
    std::string heard;
    std::string ignored;
    bool has_spoken = false;
    PIPIT_ASSERT(client.begin(to_server));
    while (true) {
        if (to_server.empty()) break;
        std::string part;
        if (input.size() < 2) {
            part = std::exchange(to_server, {});
        } else {
            const auto what = static_cast<unsigned char>(input[0]);
            const auto count =
                std::min<std::size_t>(static_cast<unsigned char>(input[1]) + 1u, to_server.size());
            input.remove_prefix(2);
            part = to_server.substr(0, count);
            to_server.erase(0, count);
            switch (what % 8) {
            case 0: part[what % part.size()] ^= static_cast<char>(what | 1); break;
            case 1: part.clear(); break;
            case 2: part += part; break;
            case 3: part += static_cast<char>(what); break;
            default: break; // As it is.
            }
        }
        if (!server.receive(part, heard, to_client)) break;
        PIPIT_ASSERT(said.starts_with(heard) && to_client.size() <= answer_bytes_max);
        if (!client.receive(std::exchange(to_client, {}), ignored, to_server)) break;
        if (client.is_open() && !std::exchange(has_spoken, true)) {
            PIPIT_ASSERT(client.send({&said, 1}, to_server));
        }
    }
    PIPIT_ASSERT(said.starts_with(heard));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const bytes_view input(reinterpret_cast<const char*>(data), size);
    check_bytes_alone(input);
    check_conversation(input);
    return 0;
}
