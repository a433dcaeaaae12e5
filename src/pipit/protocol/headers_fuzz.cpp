// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/headers.hpp>

#include <cstdint>
#include <cstdlib>

/// What was read is written, and read again, unchanged.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pipit::protocol;
    const pipit::bytes_view block(reinterpret_cast<const char*>(data), size);
    (void)find_header(block, "Nats-Msg-Id");
    const auto read = headers::parse(block);
    if (!read) return 0;

    std::string written;
    read->append_to(written);
    const auto again = headers::parse(written);
    if (!again || *again != *read) std::abort();
    std::string rewritten;
    again->append_to(rewritten);
    if (rewritten != written) std::abort();
    return 0;
}
