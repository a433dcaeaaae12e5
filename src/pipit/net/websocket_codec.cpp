// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/websocket_codec.hpp>

#include <pipit/base/assert.hpp>
#include <pipit/base/utf8.hpp>
#include <pipit/net/error.hpp>

#include <algorithm>
#include <cstring>

namespace pipit::net {
namespace {

constexpr unsigned final_bit = 0x80;
constexpr unsigned compressed_bit = 0x40;
constexpr unsigned reserved_bits = 0x30;
constexpr unsigned opcode_bits = 0x0f;
constexpr unsigned mask_bit = 0x80;
constexpr unsigned length_bits = 0x7f;
constexpr unsigned length_in_2_bytes = 126;
constexpr unsigned length_in_8_bytes = 127;

error violation(std::string text) { return {errc::websocket_violation, std::move(text)}; }

unsigned byte_at(std::span<const char> bytes, std::size_t index) noexcept {
    return static_cast<unsigned char>(bytes[index]);
}

void append_big_endian(std::string& wire, std::uint64_t number, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        wire += static_cast<char>(number >> shift);
    }
}

std::uint64_t big_endian(std::span<const char> bytes) noexcept {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) number = number << 8 | byte_at(bytes, i);
    return number;
}

/// Bytes of the header behind the first two that hold the length.
std::size_t length_bytes(unsigned length) noexcept {
    if (length == length_in_2_bytes) return 2;
    return length == length_in_8_bytes ? 8 : 0;
}

/// Source: RFC 6455, 7.4; as nats-server, which also takes what is not registered yet.
bool may_be_sent(unsigned status) noexcept {
    if (status < 1000 || status >= 5000) return false;
    if (status >= 1015 && status <= 2999) return false;
    return status < 1004 || status > 1006;
}

} // namespace

void apply_mask(std::span<char> bytes, websocket_mask mask, std::size_t offset) noexcept {
    std::array<char, 8> turned;
    for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = mask[(offset + i) % 4];
    std::uint64_t key = 0;
    std::memcpy(&key, turned.data(), sizeof key);
    auto* at = bytes.data();
    auto left = bytes.size();
    for (; left >= sizeof key; left -= sizeof key, at += sizeof key) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        word ^= key;
        std::memcpy(at, &word, sizeof word);
    }
    for (std::size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ turned[i]);
}

void append_frame_header(std::string& wire, const websocket_frame& frame,
                         std::uint64_t payload_bytes) {
    const auto first = static_cast<unsigned>(frame.opcode) | (frame.is_final ? final_bit : 0) |
                       (frame.is_compressed ? compressed_bit : 0);
    const auto masked = frame.mask ? mask_bit : 0;
    wire += static_cast<char>(first);
    if (payload_bytes < length_in_2_bytes) {
        wire += static_cast<char>(masked | payload_bytes);
    } else if (payload_bytes <= 0xffff) {
        wire += static_cast<char>(masked | length_in_2_bytes);
        append_big_endian(wire, payload_bytes, 2);
    } else {
        wire += static_cast<char>(masked | length_in_8_bytes);
        append_big_endian(wire, payload_bytes, 8);
    }
    if (frame.mask) wire.append(frame.mask->data(), frame.mask->size());
}

void append_control_frame(std::string& wire, websocket_opcode opcode, bytes_view payload,
                          std::optional<websocket_mask> mask) {
    PIPIT_ASSERT(payload.size() <= websocket_control_bytes_max);
    append_frame_header(wire, {.opcode = opcode, .mask = mask}, payload.size());
    const auto begin = wire.size();
    wire += payload;
    if (mask) apply_mask(std::span(wire).subspan(begin), *mask, 0);
}

std::string close_payload(std::uint16_t status, std::string_view reason) {
    constexpr std::string_view dots = "...";
    std::string payload;
    append_big_endian(payload, status, 2);
    const auto room = websocket_control_bytes_max - payload.size();
    if (reason.size() <= room) return payload.append(reason);
    auto kept = room - dots.size();
    while (kept > 0 && (byte_at(reason, kept) & 0xc0) == 0x80) --kept; // A whole character.
    return payload.append(reason.substr(0, kept)).append(dots);
}

result<websocket_close> parse_close(bytes_view payload) {
    websocket_close close;
    if (payload.empty()) return close;
    if (payload.size() == 1) return violation("close frame payload cannot be 1 byte");
    const auto status = static_cast<unsigned>(big_endian(payload.substr(0, 2)));
    if (!may_be_sent(status)) {
        return violation("invalid close status code " + std::to_string(status));
    }
    close.status = static_cast<std::uint16_t>(status);
    close.reason = payload.substr(2);
    if (!is_utf8(close.reason)) {
        close.status = websocket_status::invalid_payload;
        close.reason = "invalid utf8 body in close frame";
    }
    return close;
}

result<std::optional<websocket_part>> websocket_reader::next(bytes_view& input) {
    if (!in_payload_) {
        const auto complete = read_header(input);
        if (!complete) return complete.error();
        if (!*complete) return std::nullopt;
    }
    if (is_control()) return read_control(input);
    if (left_bytes_ != 0 && input.empty()) return std::nullopt;
    return read_data(input);
}

bool websocket_reader::fill_header(bytes_view& input, std::size_t wanted_bytes) noexcept {
    const auto count =
        std::min(wanted_bytes - std::min<std::size_t>(wanted_bytes, header_bytes_), input.size());
    input.copy(header_.data() + header_bytes_, count);
    header_bytes_ = static_cast<std::uint8_t>(header_bytes_ + count);
    input.remove_prefix(count);
    return header_bytes_ >= wanted_bytes;
}

/// In nats-server's order, so that its texts come back.
result<> websocket_reader::check_first_bytes() const {
    const auto first = byte_at(header_, 0);
    const auto length = byte_at(header_, 1) & length_bits;
    const bool is_masked = (byte_at(header_, 1) & mask_bit) != 0;
    const bool is_final = (first & final_bit) != 0;
    const bool is_compressed = (first & compressed_bit) != 0;
    if ((first & reserved_bits) != 0) return violation("RSV2 and RSV3 must be clear");
    if (is_compressed && !rules_.allows_compression) {
        return violation("compressed frame received without negotiated permessage-deflate");
    }
    if (rules_.masks == mask_rule::required && !is_masked) return violation("mask bit missing");
    if (rules_.masks == mask_rule::forbidden && is_masked) {
        return violation("frame of a server is masked");
    }
    switch (static_cast<websocket_opcode>(first & opcode_bits)) {
    case websocket_opcode::close:
    case websocket_opcode::ping:
    case websocket_opcode::pong:
        if (length > websocket_control_bytes_max) {
            return violation("control frame length bigger than maximum allowed of 125 bytes");
        }
        if (!is_final) return violation("control frame does not have final bit set");
        if (is_compressed) return violation("control frame must not be compressed");
        return {};
    case websocket_opcode::text:
    case websocket_opcode::binary:
        if (in_message_) {
            return violation(
                "new message started before final frame for previous message was received");
        }
        return {};
    case websocket_opcode::continuation:
        if (!in_message_ || is_compressed) return violation("invalid continuation frame");
        return {};
    }
    return violation("unknown opcode " + std::to_string(first & opcode_bits));
}

result<bool> websocket_reader::read_header(bytes_view& input) {
    constexpr std::size_t first_bytes = 2;
    if (!fill_header(input, first_bytes)) return false;
    if (header_bytes_ == first_bytes) {
        if (const auto checked = check_first_bytes(); !checked) return checked.error();
    }
    const auto length = byte_at(header_, 1) & length_bits;
    const bool is_masked = (byte_at(header_, 1) & mask_bit) != 0;
    const auto mask_begin = first_bytes + length_bytes(length);
    if (!fill_header(input, mask_begin + (is_masked ? mask_.size() : 0))) return false;

    left_bytes_ = length;
    if (mask_begin != first_bytes) {
        left_bytes_ = big_endian(std::span(header_).subspan(first_bytes, length_bytes(length)));
        if (left_bytes_ >> 63 != 0) return violation("invalid 64-bit payload length");
    }
    is_masked_ = is_masked;
    if (is_masked) std::memcpy(mask_.data(), header_.data() + mask_begin, mask_.size());
    const auto first = byte_at(header_, 0);
    opcode_ = static_cast<websocket_opcode>(first & opcode_bits);
    if (!is_control()) {
        if (!in_message_) is_compressed_ = (first & compressed_bit) != 0;
        is_final_ = (first & final_bit) != 0;
        in_message_ = !is_final_;
    }
    header_bytes_ = 0;
    offset_ = 0;
    in_payload_ = true;
    control_.clear();
    return true;
}

std::optional<websocket_part> websocket_reader::read_control(bytes_view& input) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_bytes_, input.size()));
    const auto begin = control_.size();
    control_ += input.substr(0, count);
    if (is_masked_) apply_mask(std::span(control_).subspan(begin), mask_, begin);
    input.remove_prefix(count);
    left_bytes_ -= count;
    if (left_bytes_ != 0) return std::nullopt;
    in_payload_ = false;
    return websocket_part{.opcode = opcode_, .payload = control_};
}

websocket_part websocket_reader::read_data(bytes_view& input) noexcept {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_bytes_, input.size()));
    websocket_part part{.payload = input.substr(0, count),
                        .mask = mask_,
                        .mask_offset = offset_,
                        .is_masked = is_masked_,
                        .is_compressed = is_compressed_};
    input.remove_prefix(count);
    left_bytes_ -= count;
    offset_ += count;
    in_payload_ = left_bytes_ != 0;
    part.ends_message = !in_payload_ && is_final_;
    return part;
}

} // namespace pipit::net
