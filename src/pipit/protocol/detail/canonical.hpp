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

/// Returns `behind`, where the operation at `at` ends; `length` is that of the one before it.
///
/// Where the next operation begins is known only when this one has been read to its end, and a
/// processor would wait for that before it begins with the next. Most operations are as long as
/// the one before: so the length is foretold, and the comparison is a branch that can be run past.
inline const char* advance(const char* at, const char* behind, std::ptrdiff_t& length) noexcept {
    if (behind - at != length) {
        length = behind - at;
        return behind;
    }
#if defined(__GNUC__)
    asm("" : "+r"(length)); // Hides from the compiler that it is the same as `behind`.
#endif
    return at + length;
}

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

/// Calls `visitor.on_message` when a message in the canonical form lies whole in [arguments, end):
/// fields with blanks between them (one, behind the subject any number), CRLF, the payload, CRLF;
/// and nothing speaks against it. Returns where it ends; null otherwise.
///
/// This is run for nearly every message: so each field is looked at once, in a straight line, and
/// nothing is kept in arrays.
template <role Role, bool with_headers, class Visitor>
inline const char* visit_canonical_message(const char* arguments, const char* end,
                                           const parser_limits& limits, Visitor& visitor,
                                           flow& next) {
    const auto available = static_cast<std::size_t>(end - arguments);
    std::uint64_t stops = blanks_and_controls(arguments, available);
    unsigned stop = 0; // Where the last field that was read ends.
    const auto read_field = [&](unsigned begin) {
        if (stops == 0) return false;
        stop = static_cast<unsigned>(std::countr_zero(stops));
        stops &= stops - 1;
        return stop != begin;
    };
    const auto more_fields = [&] { return arguments[stop] == ' '; };
    const auto text = [&](unsigned from, unsigned to) {
        return bytes_view(arguments + from, to - from);
    };

    if (!read_field(0) || !more_fields()) return nullptr;
    const unsigned subject_end = stop;
    unsigned second_begin = stop + 1;
    while (!read_field(second_begin)) {
        // Some clients write an empty reply: two blanks behind the subject.
        if (stops == 0 || !more_fields()) return nullptr;
        ++second_begin;
    }
    unsigned begin = second_begin; // Of the field that ends at `stop`.
    const auto go_on = [&] {
        begin = stop + 1;
        return read_field(begin);
    };
    bytes_view sid;
    if constexpr (Role == role::client) {
        if (!more_fields()) return nullptr;
        sid = text(begin, stop);
        if (!go_on()) return nullptr;
    }
    bytes_view reply;
    bytes_view header_size_text;
    if constexpr (with_headers) {
        if (!more_fields()) return nullptr;
        header_size_text = text(begin, stop);
        if (!go_on()) return nullptr;
        if (more_fields()) {
            reply = header_size_text;
            header_size_text = text(begin, stop);
            if (!go_on()) return nullptr;
        }
    } else if (more_fields()) {
        reply = text(begin, stop);
        if (!go_on()) return nullptr;
    }
    if (arguments[stop] != '\r' || stop + 2 > available || arguments[stop + 1] != '\n') {
        return nullptr;
    }
    if (stop > limits.max_control_line_bytes) return nullptr;

    const auto size_text = text(begin, stop);
    const auto size = parse_size(size_text);
    if (size < 0 || (limits.max_payload_bytes != -1 && size > limits.max_payload_bytes)) {
        return nullptr;
    }
    std::int64_t header_size = 0;
    if constexpr (with_headers) {
        header_size = parse_size(header_size_text);
        if (header_size <= 0 || header_size > size) return nullptr;
    }
    const char* const body = arguments + stop + 2;
    const char* const body_end = body + size;
    if (end - body < size + 2 || body_end[0] != '\r' || body_end[1] != '\n') return nullptr;

    const char* const tail = arguments + second_begin;
    const char* const behind = body_end + 2;
    next = visitor.on_message(message_operation{
        .subject = text(0, subject_end),
        .sid = sid,
        .reply = reply,
        .headers = {body, static_cast<std::size_t>(header_size)},
        .payload = {body + header_size, static_cast<std::size_t>(size - header_size)},
        .has_headers = with_headers,
        .size_text = size_text,
        .header_size_text = header_size_text,
        .tail = {tail, static_cast<std::size_t>(behind - tail)},
        .whole = nullptr,
    });
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
