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

/// The short cut of the parser: a message or a SUB as clients and servers write it, whole in the
/// input.
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

/// Where the fields of a message in the canonical form end, counted from its arguments' begin.
template <role Role, bool with_headers>
struct canonical_message {
    static constexpr unsigned reply_index = Role == role::client ? 2 : 1;
    static constexpr unsigned fields_min = reply_index + (with_headers ? 2 : 1);

    unsigned field_ends[fields_min + 1]; // The last one that is used is the CR's place.
    unsigned second_field;               // Where it begins.
    unsigned fields;
    unsigned size;
    unsigned header_size;

    /// Whether a line and its payload lie whole in [arguments, end): fields with blanks between
    /// them (one, behind the subject any number), CRLF, the payload, CRLF; and nothing speaks
    /// against it.
    [[nodiscard]] bool read(const char* arguments, const char* end,
                            const parser_limits& limits) noexcept;

    [[nodiscard]] bytes_view field(const char* arguments, unsigned index) const noexcept {
        const auto begin = index == 0 ? 0 : index == 1 ? second_field : field_ends[index - 1] + 1;
        return {arguments + begin, field_ends[index] - begin};
    }
    [[nodiscard]] const char* body(const char* arguments) const noexcept {
        return arguments + field_ends[fields - 1] + 2;
    }
    [[nodiscard]] message_operation operation(const char* arguments) const noexcept;
};

template <role Role, bool with_headers>
inline bool canonical_message<Role, with_headers>::read(const char* arguments, const char* end,
                                                        const parser_limits& limits) noexcept {
    const auto available = static_cast<std::size_t>(end - arguments);
    std::uint64_t stops = blanks_and_controls(arguments, available);
    unsigned next_begin = 0;
    unsigned stop = 0;
    for (fields = 0;; stops &= stops - 1) {
        if (stops == 0 || fields > fields_min) return false;
        stop = static_cast<unsigned>(std::countr_zero(stops));
        if (stop == next_begin) {
            // Some clients write an empty reply: two blanks behind the subject.
            if (fields != 1 || arguments[stop] != ' ') return false;
            second_field = next_begin = stop + 1;
            continue;
        }
        field_ends[fields++] = stop;
        next_begin = stop + 1;
        if (fields == 1) second_field = next_begin;
        if (arguments[stop] != ' ') break;
    }
    if (fields < fields_min || arguments[stop] != '\r') return false;
    if (stop + 2 > available || arguments[stop + 1] != '\n') return false;
    if (stop > limits.max_control_line_bytes) return false;

    const auto total = parse_size(field(arguments, fields - 1));
    if (total < 0 || (limits.max_payload_bytes != -1 && total > limits.max_payload_bytes)) {
        return false;
    }
    size = static_cast<unsigned>(total);
    const char* const payload = arguments + stop + 2;
    if (end - payload < total + 2 || payload[size] != '\r' || payload[size + 1] != '\n') {
        return false;
    }
    header_size = 0;
    if constexpr (with_headers) {
        const auto header_bytes = parse_size(field(arguments, fields - 2));
        if (header_bytes <= 0 || header_bytes > total) return false;
        header_size = static_cast<unsigned>(header_bytes);
    }
    return true;
}

template <role Role, bool with_headers>
inline message_operation
canonical_message<Role, with_headers>::operation(const char* arguments) const noexcept {
    const char* const tail = arguments + second_field;
    const char* const headers = body(arguments);
    const char* const payload = headers + header_size;
    const char* const end = headers + size;
    return {
        .subject = field(arguments, 0),
        .sid = Role == role::client ? field(arguments, 1) : bytes_view(),
        .reply = fields > fields_min ? field(arguments, reply_index) : bytes_view(),
        .headers = {headers, header_size},
        .payload = {payload, size - header_size},
        .has_headers = with_headers,
        .size_text = field(arguments, fields - 1),
        .header_size_text = with_headers ? field(arguments, fields - 2) : bytes_view(),
        .tail = {tail, static_cast<std::size_t>(end + 2 - tail)},
        .whole = nullptr,
    };
}

/// Calls `visitor.on_message` when the operation at `at` is a message in the canonical form, and
/// returns where it ends; null otherwise.
template <role Role, bool with_headers, class Visitor>
inline const char* visit_canonical_message(const char* arguments, const char* end,
                                           const parser_limits& limits, Visitor& visitor,
                                           flow& next) {
    canonical_message<Role, with_headers> message;
    if (!message.read(arguments, end, limits)) return nullptr;
    const char* const behind = message.body(arguments) + message.size + 2;
    next = visitor.on_message(message.operation(arguments));
    return behind;
}

/// The same for a SUB: two or three fields with one blank between them, CRLF.
template <class Visitor>
inline const char* visit_canonical_subscribe(const char* arguments, const char* end,
                                             const parser_limits& limits, Visitor& visitor,
                                             flow& next) {
    const auto available = static_cast<std::size_t>(end - arguments);
    std::uint64_t stops = blanks_and_controls(arguments, available);
    // Places, not views: a view that is stored as its halves and read back as a whole would wait
    // for all stores before it, and with very many subscriptions these go to far memory.
    unsigned ends[3];
    unsigned count = 0;
    unsigned begin = 0;
    for (;; stops &= stops - 1) {
        if (stops == 0 || count == 3) return nullptr;
        const auto stop = static_cast<unsigned>(std::countr_zero(stops));
        if (stop == begin) return nullptr;
        ends[count++] = stop;
        begin = stop + 1;
        if (arguments[stop] != ' ') break;
    }
    const auto line_bytes = begin - 1;
    if (count < 2 || arguments[line_bytes] != '\r') return nullptr;
    if (begin == available || arguments[begin] != '\n') return nullptr;
    if (line_bytes > limits.max_control_line_bytes) return nullptr;
    const auto field = [&](unsigned from, unsigned to) {
        return bytes_view(arguments + from, to - from);
    };
    const auto subject = field(0, ends[0]);
    const auto sid = field(ends[count - 2] + 1, line_bytes);
    next = visitor.on_subscribe(
        {subject, count == 3 ? field(ends[0] + 1, ends[1]) : bytes_view(), sid});
    return arguments + begin + 1;
}

template <role Role, class Visitor>
inline const char* visit_canonical(const char* at, const char* end, const parser_limits& limits,
                                   Visitor& visitor, flow& next) {
    constexpr std::ptrdiff_t shortest = 11; // PUB a 0, CRLF, CRLF
    if (end - at < shortest || limits.connect_required || limits.pedantic) return nullptr;
    if (std::memcmp(at, Role == role::server ? "PUB " : "MSG ", 4) == 0) {
        return visit_canonical_message<Role, false>(at + 4, end, limits, visitor, next);
    }
    if (limits.headers_allowed &&
        std::memcmp(at, Role == role::server ? "HPUB " : "HMSG ", 5) == 0) {
        return visit_canonical_message<Role, true>(at + 5, end, limits, visitor, next);
    }
    if constexpr (Role == role::server) {
        if (std::memcmp(at, "SUB ", 4) == 0) {
            return visit_canonical_subscribe(at + 4, end, limits, visitor, next);
        }
    }
    return nullptr;
}

} // namespace pipit::protocol::detail
