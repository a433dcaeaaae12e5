// SPDX-License-Identifier: Apache-2.0
// Pipit's protocol library alone, found on the machine: takes apart what a server might send.
#include <pipit/protocol.hpp>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <variant>

int main() {
    using namespace pipit;
    client_protocol client({.servers = {parse_server_url("nats://127.0.0.1:4222").value()}},
                           random_source(1));
    client.start({});
    if (!std::holds_alternative<protocol::open_requested>(client.next_event().value())) return 1;
    client.transport_opened({});
    const std::string_view info = "INFO {\"server_name\":\"somebody\",\"max_payload\":1024}\r\n";
    const auto space = client.prepare();
    std::copy(info.begin(), info.end(), space.begin());
    client.commit(info.size(), {});
    if (!std::holds_alternative<protocol::connect_requested>(client.next_event().value())) return 1;
    std::printf("this is %s\n", client.info().server_name.c_str());

    try {
        (void)parse_server_url("nats://:x").value();
    } catch (const failure& refused) {
        std::printf("%s\n", refused.what());
        return 0;
    }
    return 1;
}
