// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/party.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>

namespace pipit {
namespace {

constexpr std::size_t group_count = 8;
using groups = std::array<std::uint16_t, group_count>;

/// All of it; nothing: it is no such number.
std::optional<std::uint16_t> read_number(std::string_view text, int base, std::size_t digits_max) {
    std::uint16_t number = 0;
    if (text.empty() || text.size() > digits_max) return std::nullopt;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number, base);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return number;
}

std::optional<std::uint32_t> read_ipv4(std::string_view text) {
    constexpr int parts = 4;
    constexpr int largest = 255;
    std::uint32_t address = 0;
    for (int i = 0; i < parts; ++i) {
        const bool is_last = i + 1 == parts;
        const auto end = is_last ? text.size() : text.find('.');
        if (end == std::string_view::npos) return std::nullopt;
        const auto part = text.substr(0, end);
        const auto number = read_number(part, 10, 3);
        if (!number || *number > largest || (part.size() > 1 && part[0] == '0')) {
            return std::nullopt;
        }
        address = address << 8 | *number;
        text.remove_prefix(is_last ? end : end + 1);
    }
    return address;
}

/// Source: RFC 4291, section 2.2.
std::optional<groups> read_ipv6(std::string_view text) {
    groups found{};
    std::size_t count = 0;
    std::optional<std::size_t> gap; ///< Where the zeros are that `::` leaves out.
    if (text.starts_with("::")) {
        gap = 0;
        text.remove_prefix(2);
    }
    while (!text.empty()) {
        const auto end = text.find(':');
        const bool is_last = end == std::string_view::npos;
        if (is_last && text.find('.') != std::string_view::npos) {
            const auto address = read_ipv4(text);
            if (!address || count + 2 > group_count) return std::nullopt;
            found[count++] = static_cast<std::uint16_t>(*address >> 16);
            found[count++] = static_cast<std::uint16_t>(*address);
            break;
        }
        const auto group = read_number(text.substr(0, end), 16, 4);
        if (!group || count == group_count) return std::nullopt;
        found[count++] = *group;
        if (is_last) break;
        text.remove_prefix(end + 1);
        if (text.empty()) return std::nullopt;
        if (text.front() != ':') continue;
        if (gap) return std::nullopt;
        gap = count;
        text.remove_prefix(1);
    }
    if (gap ? count == group_count : count != group_count) return std::nullopt;
    if (gap) {
        const auto begin = found.begin() + static_cast<std::ptrdiff_t>(*gap);
        std::rotate(begin, found.begin() + static_cast<std::ptrdiff_t>(count), found.end());
    }
    return found;
}

/// Source: RFC 4291, section 2.5.5.2; RFC 6052, section 2.1.
bool is_ipv4_in_ipv6(const groups& address) noexcept {
    constexpr std::array<std::uint16_t, 6> mapped{0, 0, 0, 0, 0, 0xffff};
    constexpr std::array<std::uint16_t, 6> translated{0x64, 0xff9b, 0, 0, 0, 0};
    return std::equal(mapped.begin(), mapped.end(), address.begin()) ||
           std::equal(translated.begin(), translated.end(), address.begin());
}

std::uint64_t joined(const groups& address, std::size_t begin, std::size_t end) noexcept {
    std::uint64_t bits = 0;
    for (auto i = begin; i < end; ++i) bits = bits << 16 | address[i];
    return bits;
}

} // namespace

party::party(std::string_view ip) noexcept {
    ip = ip.substr(0, ip.find('%')); // What follows says by which interface.
    if (const auto short_one = read_ipv4(ip)) {
        kind_ = kind::ipv4;
        network_ = *short_one;
    } else if (const auto long_one = read_ipv6(ip)) {
        const bool is_ipv4 = is_ipv4_in_ipv6(*long_one);
        kind_ = is_ipv4 ? kind::ipv4 : kind::ipv6;
        network_ = is_ipv4 ? joined(*long_one, 6, group_count) : joined(*long_one, 0, 4);
    }
}

} // namespace pipit
