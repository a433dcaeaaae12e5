// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pipit::net {

enum class websocket_opcode : std::uint8_t {
    continuation = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10,
};

/// Why a side closes.
/// Source: RFC 6455, 7.4.1.
namespace websocket_status {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t invalid_payload = 1007;
inline constexpr std::uint16_t policy_violation = 1008;
inline constexpr std::uint16_t too_big = 1009;
inline constexpr std::uint16_t internal_error = 1011;
inline constexpr std::uint16_t tls_handshake = 1015;
} // namespace websocket_status

/// The four bytes of a masking key in the order of the wire.
using websocket_mask = std::array<char, 4>;

/// Masks or unmasks in place; `offset` is where the bytes stand in their frame's payload.
void apply_mask(std::span<char> bytes, websocket_mask mask, std::size_t offset) noexcept;

inline constexpr std::size_t websocket_header_bytes_max = 14;
/// The payload of a ping, a pong or a close.
inline constexpr std::size_t websocket_control_bytes_max = 125;

struct websocket_frame {
    websocket_opcode opcode = websocket_opcode::binary;
    bool is_final = true;
    bool is_compressed = false;
    std::optional<websocket_mask> mask = std::nullopt;
};

/// Appends the header of a frame with so much payload.
void append_frame_header(std::string& wire, const websocket_frame& frame,
                         std::uint64_t payload_bytes);
/// Appends a whole ping, pong or close.
/// `payload` has at most `websocket_control_bytes_max`.
void append_control_frame(std::string& wire, websocket_opcode opcode, bytes_view payload,
                          std::optional<websocket_mask> mask);
/// The payload of a close: a reason that is too long ends in dots.
[[nodiscard]] std::string close_payload(std::uint16_t status, std::string_view reason);

/// What a close said.
struct websocket_close {
    std::optional<std::uint16_t> status;
    std::string reason;
};
/// Errors: `errc::websocket_violation`.
[[nodiscard]] result<websocket_close> parse_close(bytes_view payload);

enum class mask_rule : std::uint8_t {
    required,  ///< Of a client.
    forbidden, ///< Of a server.
    either,    ///< Of a client that was allowed to leave it out.
};

/// A piece of what came: a part of a message's payload, or a whole control frame.
struct websocket_part {
    websocket_opcode opcode = websocket_opcode::binary; ///< A message is always `binary`.
    bytes_view payload; ///< Of a message: as it came, masked. Of a control frame: unmasked.
    websocket_mask mask{};
    std::size_t mask_offset = 0;
    bool is_masked = false;
    bool is_compressed = false; ///< The whole message is.
    bool ends_message = false;
};

/// Takes frames apart. A message may be of any size: what came of it is given out at once, and
/// nothing but a header or a control frame that is not complete is kept.
/// Source: RFC 6455, section 5. Text is not told from binary: it carries a stream of bytes.
class websocket_reader {
public:
    struct rules {
        mask_rule masks = mask_rule::required;
        bool allows_compression = false;
    };

    explicit websocket_reader(rules obeyed) noexcept : rules_(obeyed) {}

    /// The next part, taken from the front of `input`; nothing when all of it was taken.
    /// Lifetime: its payload, until `input`'s bytes or this reader change.
    /// Errors: `errc::websocket_violation`, with nats-server's text; what follows is lost.
    [[nodiscard]] result<std::optional<websocket_part>> next(bytes_view& input);

private:
    /// False: more is needed.
    [[nodiscard]] result<bool> read_header(bytes_view& input);
    [[nodiscard]] result<> check_first_bytes() const;
    [[nodiscard]] bool fill_header(bytes_view& input, std::size_t wanted_bytes) noexcept;
    [[nodiscard]] std::optional<websocket_part> read_control(bytes_view& input);
    [[nodiscard]] websocket_part read_data(bytes_view& input) noexcept;
    [[nodiscard]] bool is_control() const noexcept { return opcode_ >= websocket_opcode::close; }

    rules rules_;
    websocket_opcode opcode_{};
    bool in_payload_ = false;
    bool is_final_ = true; ///< The frame is the last one of its message.
    bool is_masked_ = false;
    bool in_message_ = false; ///< Its last frame has not begun yet.
    bool is_compressed_ = false;
    std::uint8_t header_bytes_ = 0;
    std::array<char, websocket_header_bytes_max> header_{};
    websocket_mask mask_{};
    std::uint64_t left_bytes_ = 0;
    std::size_t offset_ = 0;
    std::string control_;
};

} // namespace pipit::net
