// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/websocket_deflate.hpp>

#include <pipit/base/assert.hpp>
#include <pipit/base/websocket_limits.hpp>
#include <pipit/net/error.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <zlib.h>

namespace pipit::net {
namespace {

constexpr int raw_window_bits = -15;
/// What a sender leaves out at the end of each message.
constexpr std::size_t tail_bytes = 4;
/// The part that was left out, and an empty last block, so that an end in the middle is noticed.
constexpr bytes_view tail_and_end{"\x00\x00\xff\xff\x01\x00\x00\xff\xff", 9};

Bytef* bytes_of(const char* data) noexcept {
    return reinterpret_cast<Bytef*>(const_cast<char*>(data));
}

} // namespace

struct websocket_deflate::contexts {
    contexts() = default;
    ~contexts() {
        if (deflates) deflateEnd(&out);
        if (inflates) inflateEnd(&in);
    }
    contexts(const contexts&) = delete;
    contexts& operator=(const contexts&) = delete;

    z_stream& fresh_deflate() {
        if (deflates) {
            deflateReset(&out);
        } else {
            // The fastest, as nats-server: what is sent is compressed for each receiver anew.
            if (deflateInit2(&out, Z_BEST_SPEED, Z_DEFLATED, raw_window_bits, 8,
                             Z_DEFAULT_STRATEGY) != Z_OK) {
                throw std::bad_alloc();
            }
            deflates = true;
        }
        return out;
    }
    z_stream& fresh_inflate() {
        if (inflates) {
            inflateReset(&in);
        } else {
            if (inflateInit2(&in, raw_window_bits) != Z_OK) throw std::bad_alloc();
            inflates = true;
        }
        return in;
    }

    z_stream out{};
    z_stream in{};
    bool deflates = false;
    bool inflates = false;
    std::array<char, 16 * 1024> buffer;
};

websocket_deflate::websocket_deflate() = default;
websocket_deflate::~websocket_deflate() = default;

bytes_view websocket_deflate::compress(std::span<const bytes_view> plain) {
    if (!contexts_) contexts_ = std::make_unique<contexts>();
    auto& stream = contexts_->fresh_deflate();
    auto& buffer = contexts_->buffer;
    compressed_.clear();
    // A burst's memory is given back.
    if (compressed_.capacity() > limits::websocket_compressed_bytes) compressed_.shrink_to_fit();
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const bool is_last = i + 1 == plain.size();
        PIPIT_ASSERT(plain[i].size() <= std::numeric_limits<uInt>::max());
        stream.next_in = bytes_of(plain[i].data());
        stream.avail_in = static_cast<uInt>(plain[i].size());
        do {
            stream.next_out = bytes_of(buffer.data());
            stream.avail_out = static_cast<uInt>(buffer.size());
            (void)deflate(&stream, is_last ? Z_SYNC_FLUSH : Z_NO_FLUSH);
            compressed_.append(buffer.data(), buffer.size() - stream.avail_out);
        } while (stream.avail_out == 0);
    }
    PIPIT_ASSERT(compressed_.size() > tail_bytes);
    return bytes_view(compressed_).substr(0, compressed_.size() - tail_bytes);
}

result<> websocket_deflate::decompress(bytes_view payload, std::size_t plain_bytes_max,
                                       std::string& plain) {
    if (!contexts_) contexts_ = std::make_unique<contexts>();
    auto& stream = contexts_->fresh_inflate();
    auto& buffer = contexts_->buffer;
    const std::array parts{payload, tail_and_end};
    std::size_t plain_bytes = 0;
    int status = Z_OK;
    for (std::size_t i = 0; i < parts.size() && status == Z_OK; ++i) {
        PIPIT_ASSERT(parts[i].size() <= std::numeric_limits<uInt>::max());
        stream.next_in = bytes_of(parts[i].data());
        stream.avail_in = static_cast<uInt>(parts[i].size());
        do {
            stream.next_out = bytes_of(buffer.data());
            stream.avail_out = static_cast<uInt>(buffer.size());
            status = inflate(&stream, Z_NO_FLUSH);
            const auto made = buffer.size() - stream.avail_out;
            plain_bytes += made;
            if (plain_bytes > plain_bytes_max) return errc::websocket_too_big;
            plain.append(buffer.data(), made);
        } while (status == Z_OK && (stream.avail_in != 0 || stream.avail_out == 0));
        // Nothing to do is no failure: the input is just over.
        if (status == Z_BUF_ERROR) status = Z_OK;
    }
    // A sender may end with a last block of its own, and behind that nothing counts.
    if (status == Z_STREAM_END) return {};
    return error(errc::websocket_violation, "flate: corrupt input"); // As Go's library calls it.
}

} // namespace pipit::net
