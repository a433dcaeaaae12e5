// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/protocol/detail/numbers.hpp>
#include <pipit/protocol/operations.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// The short cut of the parser: a message as clients and servers write it, whole in the input.
namespace pipit::protocol::detail {

/// How many bytes behind the name are searched for the end of the line; longer lines take the
/// long way.
inline constexpr std::size_t line_window = 64;

/// One bit for each of 64 bytes: whether it is a blank or a control character.
inline std::uint64_t blanks_and_controls(const char* bytes) noexcept {
#if defined(__SSE2__)
    const auto limit = _mm_set1_epi8(' ');
    const auto quarter = [&](int index) {
        const auto part = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes) + index);
        const auto is_low = _mm_cmpeq_epi8(_mm_min_epu8(part, limit), part);
        return static_cast<std::uint64_t>(_mm_movemask_epi8(is_low));
    };
    return quarter(0) | quarter(1) << 16 | quarter(2) << 32 | quarter(3) << 48;
#else
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < line_window; ++i) {
        const bool is_low = static_cast<unsigned char>(bytes[i]) <= ' ';
        mask |= std::uint64_t{is_low} << i;
    }
    return mask;
#endif
}

/// The same for fewer than 64 bytes; the bits behind them are 0.
inline std::uint64_t blanks_and_controls(const char* bytes, std::size_t count) noexcept {
    if (count >= line_window) return blanks_and_controls(bytes);
    char window[line_window];
    std::memset(window, 'x', sizeof window);
    std::memcpy(window, bytes, count);
    return blanks_and_controls(window);
}

/// Whether a line and its payload lie whole in [arguments, end) in the canonical form: fields with
/// single blanks between them, CRLF. Returns where the operation ends, or null.
template <role Role, bool with_headers>
inline const char* read_canonical_message(const char* arguments, const char* end,
                                          const parser_limits& limits,
                                          message_operation& message) noexcept {
    constexpr unsigned reply_index = Role == role::client ? 2 : 1;
    constexpr unsigned fields_min = reply_index + (with_headers ? 2 : 1);
    const auto available = static_cast<std::size_t>(end - arguments);

    std::uint64_t stops = blanks_and_controls(arguments, available);
    unsigned field_ends[fields_min + 1];
    unsigned fields = 0;
    unsigned stop = 0;
    for (;;) {
        if (stops == 0 || fields > fields_min) return nullptr;
        stop = static_cast<unsigned>(std::countr_zero(stops));
        field_ends[fields++] = stop;
        if (arguments[stop] != ' ') break;
        stops &= stops - 1;
    }
    if (fields < fields_min || arguments[stop] != '\r') return nullptr;
    if (stop + 2 > available || arguments[stop + 1] != '\n') return nullptr;
    if (stop > limits.max_control_line_bytes) return nullptr;

    const auto field = [&](unsigned index) {
        const auto begin = index == 0 ? 0 : field_ends[index - 1] + 1;
        return bytes_view(arguments + begin, field_ends[index] - begin);
    };
    const bool has_reply = fields > fields_min;
    message.subject = field(0);
    if constexpr (Role == role::client) {
        message.sid = field(1);
        if (message.sid.empty()) return nullptr;
    }
    if (has_reply) message.reply = field(reply_index);
    if (message.subject.empty() || (has_reply && message.reply.empty())) return nullptr;

    message.size_text = field(fields - 1);
    const auto size = parse_size(message.size_text);
    if (size < 0 || (limits.max_payload_bytes != -1 && size > limits.max_payload_bytes)) {
        return nullptr;
    }
    const char* const body = arguments + stop + 2;
    if (end - body < size + 2 || body[size] != '\r' || body[size + 1] != '\n') return nullptr;

    std::int64_t header_size = 0;
    if constexpr (with_headers) {
        message.header_size_text = field(fields - 2);
        header_size = parse_size(message.header_size_text);
        if (header_size <= 0 || header_size > size) return nullptr;
        message.has_headers = true;
        message.headers = {body, static_cast<std::size_t>(header_size)};
    }
    message.payload = {body + header_size, static_cast<std::size_t>(size - header_size)};
    const char* const tail = arguments + field_ends[0] + 1;
    message.tail = {tail, static_cast<std::size_t>(body + size + 2 - tail)};
    return body + size + 2;
}

/// The length of the operation at `at` when it is a message in the canonical form that nothing
/// speaks against; 0 otherwise, and then `message` holds nothing of meaning.
template <role Role>
inline std::size_t read_canonical(const char* at, const char* end, const parser_limits& limits,
                                  message_operation& message) noexcept {
    constexpr std::ptrdiff_t shortest = 11; // PUB a 0, CRLF, CRLF
    if (end - at < shortest) return 0;
    if (limits.connect_required || limits.pedantic) return 0;
    const char* ended = nullptr;
    if (std::memcmp(at, Role == role::server ? "PUB " : "MSG ", 4) == 0) {
        ended = read_canonical_message<Role, false>(at + 4, end, limits, message);
    } else if (std::memcmp(at, Role == role::server ? "HPUB " : "HMSG ", 5) == 0) {
        if (!limits.headers_allowed) return 0;
        ended = read_canonical_message<Role, true>(at + 5, end, limits, message);
    }
    return ended == nullptr ? 0 : static_cast<std::size_t>(ended - at);
}

} // namespace pipit::protocol::detail
