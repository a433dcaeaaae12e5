// SPDX-License-Identifier: Apache-2.0
// An address is one exactly where the system thinks so, and however it is written it is the same
// party.
#include <pipit/base/assert.hpp>
#include <pipit/base/party.hpp>

#include <arpa/inet.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // The system's function ends at a zero.
    const std::string input(std::string(reinterpret_cast<const char*>(data), size).c_str());
    const pipit::party found(input);
    const auto address = input.substr(0, input.find('%'));
    for (const int family : {AF_INET, AF_INET6}) {
        std::array<char, sizeof(in6_addr)> bytes{};
        if (::inet_pton(family, address.c_str(), bytes.data()) != 1) continue;
        std::array<char, INET6_ADDRSTRLEN> text{};
        ::inet_ntop(family, bytes.data(), text.data(), text.size());
        PIPIT_ASSERT(found != pipit::party());
        PIPIT_ASSERT(found == pipit::party(text.data()));
        return 0;
    }
    PIPIT_ASSERT(found == pipit::party());
    return 0;
}
