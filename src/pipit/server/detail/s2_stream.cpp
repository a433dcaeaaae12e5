// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/detail/s2_stream.hpp>

#include <cstdint>

namespace pipit::server {
namespace {

/// Takes bytes from the front; what is not there is remembered, and reads as 0.
struct source {
    bytes_view rest;
    bool is_short = false;

    bytes_view take(std::size_t count) {
        if (count > rest.size()) {
            is_short = true;
            count = 0;
        }
        const auto taken = rest.substr(0, count);
        rest.remove_prefix(count);
        return taken;
    }
    /// The lowest byte first.
    std::size_t number(std::size_t bytes) {
        std::size_t value = 0;
        std::size_t shift = 0;
        for (const char byte : take(bytes)) {
            value |= std::size_t{static_cast<unsigned char>(byte)} << shift;
            shift += 8;
        }
        return value;
    }
    /// Seven bits in a byte.
    std::size_t variable_number() {
        std::size_t value = 0;
        for (std::size_t shift = 0; shift < 35; shift += 7) {
            const auto byte = number(1);
            value |= (byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        is_short = true;
        return 0;
    }
};

struct copy {
    std::size_t offset = 0;
    std::size_t length = 0;
};

/// `last_offset` is what a copy without one of its own repeats.
copy read_copy(source& from, unsigned tag, std::size_t last_offset) {
    if (tag % 4 == 2) return {from.number(2), 1 + tag / 4};
    if (tag % 4 == 3) return {from.number(4), 1 + tag / 4};
    const auto offset = std::size_t{tag / 32} * 256 + from.number(1);
    std::size_t length = (tag / 4) % 8;
    if (offset != 0) return {offset, length + 4};
    switch (length) {
    case 5: length = from.number(1) + 4; break;
    case 6: length = from.number(2) + 256; break;
    case 7: length = from.number(3) + 65536; break;
    default: break;
    }
    return {last_offset, length + 4};
}

bool unpack_block(bytes_view block, std::size_t bytes_max, std::string& into) {
    source from{block};
    const auto begin = into.size();
    const auto size = from.variable_number();
    if (from.is_short || size > bytes_max - begin) return false;
    std::size_t last_offset = 0;
    while (!from.rest.empty()) {
        const auto tag = static_cast<unsigned>(from.number(1));
        const auto done = into.size() - begin;
        if (tag % 4 == 0) {
            std::size_t length = tag / 4;
            if (length >= 60) length = from.number(length - 59);
            const auto literal = from.take(length + 1);
            if (from.is_short || literal.size() > size - done) return false;
            into += literal;
            continue;
        }
        const auto [offset, length] = read_copy(from, tag, last_offset);
        if (from.is_short || offset == 0 || offset > done || length > size - done) return false;
        // It may reach into what it makes.
        for (std::size_t i = 0; i < length; ++i) into += into[into.size() - offset];
        last_offset = offset;
    }
    return into.size() - begin == size;
}

} // namespace

std::optional<std::string> unpack_s2(bytes_view stream, std::size_t bytes_max) {
    constexpr std::size_t checksum_bytes = 4;
    std::string unpacked;
    source from{stream};
    bool has_begun = false;
    while (!from.rest.empty()) {
        const auto type = from.number(1);
        auto chunk = from.take(from.number(3));
        if (from.is_short) return std::nullopt;
        if (type == 0xff) {
            if (chunk != "sNaPpY" && chunk != "S2sTwO") return std::nullopt;
            has_begun = true;
            continue;
        }
        if (!has_begun) return std::nullopt;
        if (type >= 0x80) continue; // For somebody else.
        if (type > 1 || chunk.size() < checksum_bytes) return std::nullopt;
        chunk.remove_prefix(checksum_bytes);
        if (type == 0) {
            if (!unpack_block(chunk, bytes_max, unpacked)) return std::nullopt;
        } else {
            if (chunk.size() > bytes_max - unpacked.size()) return std::nullopt;
            unpacked += chunk;
        }
    }
    if (!has_begun) return std::nullopt;
    return unpacked;
}

} // namespace pipit::server
