// SPDX-License-Identifier: Apache-2.0
// Whatever arrives: what is handed out was sent, in order and within the window, and a session that
// has failed stays so. Input: lines of "<control>|<payload>".
#include <pipit/client/chunk_session.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace pipit;

void expect(bool is_true) {
    if (!is_true) std::abort();
}

client::message arrived(bytes_view line) {
    const auto bar = std::min(line.find('|'), line.size());
    const auto control = line.substr(0, bar);
    const auto payload = line.substr(std::min(bar + 1, line.size()));
    const auto block = "NATS/1.0\r\nPipit-Transfer: " + std::string(control) + "\r\n\r\n";
    return {"to", "reply", block, payload};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t window = 64;
    bytes_view rest(reinterpret_cast<const char*>(data), size);
    client::chunk_session session(client::chunk_session::side::serving, {.window_bytes = window},
                                  {});
    std::size_t waiting = 0;
    bool failed = false;
    for (int lines = 0; !rest.empty(); ++lines) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const auto what = arrived(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        session.receive(what, {});
        expect(!failed || session.failure());
        failed = session.failure().has_value();
        (void)session.controls();
        const bool is_chunk =
            what.header(client::transfer_header).value_or("").starts_with("data ");
        if (failed) {
            expect(!session.take_chunk() && session.writable_bytes() == 0);
        } else if (is_chunk) {
            waiting += what.payload().size();
            expect(waiting <= window);
        }
        if (lines % 3 == 2 && !failed) {
            while (auto chunk = session.take_chunk()) {
                expect(!chunk->payload().empty());
                waiting -= chunk->payload().size();
            }
            expect(waiting == 0);
        }
    }
    return 0;
}
