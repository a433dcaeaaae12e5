// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace pipit {

/// For whom it counts what comes from an address, where each has a share or a turn: the one place
/// that says so. An IPv4 address is one, also as IPv6 writes it (`::ffff:192.0.2.1`, or
/// `64:ff9b::192.0.2.1` behind a translator). Of IPv6 the network of 64 bits is one, as whoever has
/// one of its addresses has all of them.
class party {
public:
    /// Who comes from no address, but from inside the process.
    constexpr party() = default;
    /// Of an IP address without brackets; of what is none, the same as from inside the process.
    explicit party(std::string_view ip) noexcept;

    friend constexpr auto operator<=>(const party&, const party&) = default;

private:
    enum class kind : std::uint8_t { none, ipv4, ipv6 };

    std::uint64_t network_ = 0;
    kind kind_ = kind::none;
};

} // namespace pipit
