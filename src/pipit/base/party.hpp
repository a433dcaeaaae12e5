// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace pipit {

/// For whom it counts what comes from an address, where each has a share or a turn: the one place
/// that says so. An IPv4 address is one, also as IPv6 writes it (mapped, or
/// behind a translator: RFC 4291 and 6052). Of IPv6 the network of 64 bits is one, as whoever has
/// one of its addresses has all of them.
class party {
public:
    /// Who comes from no address, but from inside the process.
    constexpr party() = default;
    /// Of an IP address, whose zone does not count; of anything else, as from inside the process.
    explicit party(std::string_view ip) noexcept;

    friend constexpr auto operator<=>(const party&, const party&) = default;

private:
    enum class kind : std::uint8_t { none, ipv4, ipv6 };

    std::uint64_t network_ = 0;
    kind kind_ = kind::none;
};

} // namespace pipit
