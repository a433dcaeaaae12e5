// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/source_network.hpp>

#include <algorithm>
#include <charconv>

namespace pipit::server {

std::optional<source_network> source_network::parse(const std::string& text) {
    const auto slash = text.find('/');
    if (slash == std::string::npos) return std::nullopt;
    const auto address = text.substr(0, slash);
    const auto bytes = net::parse_ip(address);
    const bool is_ipv4 = address.find(':') == std::string::npos;
    source_network network;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + slash + 1, end, network.bits_);
    if (!bytes || read.ec != std::errc() || read.ptr != end || network.bits_ < 0 ||
        network.bits_ > (is_ipv4 ? 32 : 128)) {
        return std::nullopt;
    }
    network.network_ = *bytes;
    if (is_ipv4) network.bits_ += net::mapped_bits;
    return network;
}

bool source_network::contains(const std::string& address) const {
    const auto bytes = net::parse_ip(address);
    if (!bytes) return false;
    // As Go: of a network of IPv6, however wide, no address of IPv4 is one.
    if (bits_ < net::mapped_bits && net::is_ipv4(*bytes)) return false;
    const auto whole = static_cast<std::size_t>(bits_ / 8);
    if (!std::equal(network_.begin(), network_.begin() + bits_ / 8, bytes->begin())) return false;
    const int rest = bits_ % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return (network_[whole] & mask) == ((*bytes)[whole] & mask);
}

} // namespace pipit::server
