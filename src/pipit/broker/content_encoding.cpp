// SPDX-License-Identifier: Apache-2.0
#include <pipit/broker/content_encoding.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/protocol/headers.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <snappy.h>
#include <zlib.h>

namespace pipit::broker {
namespace {

std::string gzip(bytes_view bytes) {
    constexpr int window_bits_of_gzip = 15 + 16;
    z_stream stream{};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits_of_gzip, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::bad_alloc();
    }
    std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

/// Castagnoli's checksum, which hardware and frames of snappy use.
std::uint32_t crc32c(bytes_view bytes) noexcept {
    static constexpr auto table = [] {
        std::array<std::uint32_t, 256> made{};
        for (std::uint32_t i = 0; i < made.size(); ++i) {
            auto value = i;
            for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1) * 0x82f63b78;
            made[i] = value;
        }
        return made;
    }();
    std::uint32_t sum = 0xffffffff;
    for (const char c : bytes) {
        sum = sum >> 8 ^ table[(sum ^ static_cast<unsigned char>(c)) & 0xff];
    }
    return ~sum;
}

void append_little_endian(std::string& to, std::uint32_t number, int byte_count) {
    for (int i = 0; i < byte_count; ++i) to += static_cast<char>(number >> 8 * i & 0xff);
}

/// Source: "Snappy framing format description", sections 3 and 4.
std::string framed_snappy(bytes_view bytes) {
    constexpr std::size_t chunk_bytes_max = 65536;
    constexpr bytes_view stream_identifier{"\xff\x06\x00\x00sNaPpY", 10};
    constexpr char compressed_chunk = 0;
    constexpr char uncompressed_chunk = 1;
    constexpr std::uint32_t checksum_bytes = 4;

    std::string out(stream_identifier);
    std::string compressed;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), chunk_bytes_max))) {
        const auto chunk = bytes.substr(0, chunk_bytes_max);
        snappy::Compress(chunk.data(), chunk.size(), &compressed);
        const bool pays = compressed.size() < chunk.size();
        const auto data = pays ? bytes_view(compressed) : chunk;
        const auto sum = crc32c(chunk);
        out += pays ? compressed_chunk : uncompressed_chunk;
        append_little_endian(out, static_cast<std::uint32_t>(data.size()) + checksum_bytes, 3);
        append_little_endian(out, (sum >> 15 | sum << 17) + 0xa282ead8, 4);
        out += data;
    }
    return out;
}

} // namespace

std::string_view name(content_encoding encoding) noexcept {
    switch (encoding) {
    case content_encoding::identity: return "identity";
    case content_encoding::gzip: return "gzip";
    case content_encoding::snappy: return "snappy";
    case content_encoding::none: break;
    }
    return {};
}

content_encoding choose_encoding(std::string_view accepted) noexcept {
    const auto has = [&](std::string_view name) { return accepted.find(name) != accepted.npos; };
    if (has("snappy") || has("s2")) return content_encoding::snappy;
    if (has("gzip")) return content_encoding::gzip;
    return accepted.empty() ? content_encoding::none : content_encoding::identity;
}

content_encoding accepted_encoding(bytes_view headers) {
    if (headers.empty()) return content_encoding::none;
    const auto parsed = protocol::headers::parse(headers);
    const auto value = parsed ? parsed->get("Accept-Encoding") : std::nullopt;
    if (!value) return content_encoding::none;
    return choose_encoding(lower_case(*value));
}

std::string encode(content_encoding encoding, bytes_view bytes) {
    switch (encoding) {
    case content_encoding::gzip: return gzip(bytes);
    case content_encoding::snappy: return framed_snappy(bytes);
    case content_encoding::identity:
    case content_encoding::none: break;
    }
    return std::string(bytes);
}

} // namespace pipit::broker
