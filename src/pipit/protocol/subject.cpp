// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/subject.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace pipit::protocol {
namespace {

/// What a byte is in a subject.
namespace kind {
constexpr std::uint8_t forbidden = 1, dot = 2, full_wildcard = 4;
}
constexpr auto kinds = [] {
    std::array<std::uint8_t, 256> made{};
    for (const char c : {' ', '\t', '\n', '\f', '\r'}) {
        made[static_cast<unsigned char>(c)] = kind::forbidden;
    }
    made['.'] = kind::dot;
    made['>'] = kind::full_wildcard;
    return made;
}();

constexpr std::uint64_t in_each_byte = 0x0101010101010101;
constexpr std::uint64_t high_bits = in_each_byte * 0x80;

/// The high bit of each byte that is `value`.
constexpr std::uint64_t bytes_that_are(char value, std::uint64_t word) noexcept {
    const auto different = word ^ in_each_byte * static_cast<unsigned char>(value);
    return ~(((different & ~high_bits) + ~high_bits) | different | ~high_bits);
}

/// Not 0 when a byte is a blank or a control character.
constexpr std::uint64_t some_are_low(std::uint64_t word) noexcept {
    return (word - in_each_byte * (' ' + 1)) & ~word & high_bits;
}

/// Four to seven bytes, and letters behind them.
std::uint64_t filled_word(bytes_view text) noexcept {
    constexpr std::size_t half = sizeof(std::uint32_t);
    std::uint32_t first;
    std::uint32_t last;
    std::memcpy(&first, text.data(), half);
    std::memcpy(&last, text.data() + text.size() - half, half);
    return first | std::uint64_t{last} << 8 * (text.size() - half) |
           in_each_byte * 'x' << 8 * text.size();
}

/// Eight bytes at a time, because every SUB and what a client publishes comes by here: whether a
/// subject is valid and has nothing that must be looked at more closely, such as these bytes.
template <char... Odd>
bool is_plainly_valid(bytes_view subject) noexcept {
    constexpr std::size_t step = sizeof(std::uint64_t);
    if (std::endian::native != std::endian::little || subject.size() < step / 2) return false;
    std::uint64_t close_look = 0;
    const auto look_at = [&](std::uint64_t word, bool behind_dot) {
        const auto dots = bytes_that_are('.', word);
        close_look |= dots & (dots << 8 | (behind_dot ? 0x80 : 0));
        close_look |= (bytes_that_are(Odd, word) | ...) | some_are_low(word);
    };
    if (subject.size() < step) {
        look_at(filled_word(subject), true);
        return close_look == 0 && subject.back() != '.';
    }
    for (std::size_t begin = 0;;) {
        std::uint64_t word;
        std::memcpy(&word, subject.data() + begin, step);
        look_at(word, begin == 0 || subject[begin - 1] == '.');
        if (begin + step == subject.size()) return close_look == 0 && subject.back() != '.';
        begin = std::min(begin + step, subject.size() - step);
    }
}

bool is_wildcard(bytes_view token) noexcept { return token == "*" || token == ">"; }

/// nats-server looks at the first byte only when it compares two patterns.
bool may_match_same_token(bytes_view a, bytes_view b) noexcept {
    if (a.empty() || b.empty()) return false;
    const auto is_wild = [](char c) { return c == '*' || c == '>'; };
    return is_wild(a.front()) || is_wild(b.front()) || a == b;
}

struct wildcards {
    bool partial = false; // *
    bool full = false;    // >
};

wildcards wildcards_of(bytes_view subject) noexcept {
    wildcards found;
    for (const auto token : tokens(subject)) {
        found.partial |= token == "*";
        found.full |= token == ">";
    }
    return found;
}

} // namespace

bool is_valid_subject(bytes_view subject) noexcept {
    if (is_plainly_valid<'>'>(subject)) return true;
    std::uint8_t previous = kind::dot;
    std::uint8_t seen = 0;
    std::uint8_t twice = 0; // In a row.
    for (const char byte : subject) {
        const auto what = kinds[static_cast<unsigned char>(byte)];
        seen |= what;
        twice |= what & previous;
        previous = what;
    }
    if ((seen & kind::forbidden) != 0 || ((twice | previous) & kind::dot) != 0) return false;
    return (seen & kind::full_wildcard) == 0 ||
           (!subject.starts_with(">.") && subject.find(".>.") == bytes_view::npos);
}

bool is_valid_literal_subject(bytes_view subject) noexcept {
    for (const auto token : tokens(subject)) {
        if (token.empty() || is_wildcard(token)) return false;
    }
    return true;
}

bool is_valid_publish_subject(bytes_view subject) noexcept {
    if (is_plainly_valid<'>', '*'>(subject)) return true;
    bool is_empty = true;     // The token under way.
    bool is_wildcard = false; // So far it is, as a whole.
    for (const char c : subject) {
        if (c > '>') { // Letters: most of what there is.
            is_empty = is_wildcard = false;
            continue;
        }
        switch (c) {
        case '.':
            if (is_empty || is_wildcard) return false;
            is_empty = true;
            break;
        case '*':
        case '>':
            is_wildcard = is_empty;
            is_empty = false;
            break;
        case ' ':
        case '\t':
        case '\n':
        case '\f':
        case '\r': return false;
        default: is_empty = is_wildcard = false;
        }
    }
    return !is_empty && !is_wildcard;
}

bool is_literal(bytes_view subject) noexcept {
    const auto has = [&](char byte) { return subject.find(byte) != bytes_view::npos; };
    if (!has('*') && !has('>')) return true;
    for (const auto token : tokens(subject)) {
        if (is_wildcard(token)) return false;
    }
    return true;
}

bool subject_matches(bytes_view pattern, bytes_view subject) noexcept {
    auto wanted = tokens(pattern).begin();
    auto given = tokens(subject).begin();
    bool matches = true;
    bool rest_matches = false; // A closing `>` was reached.
    while (given != std::default_sentinel) {
        if ((*given).empty()) return false; // Wherever it stands, as in nats-server.
        if (!rest_matches) {
            if (wanted == std::default_sentinel) {
                matches = false;
            } else if (*wanted == ">" && wanted.is_last()) {
                rest_matches = true;
            } else if (*wanted != "*" && *wanted != *given) {
                matches = false;
            }
            ++wanted;
        }
        ++given;
    }
    return matches && (rest_matches || wanted == std::default_sentinel);
}

bool is_subset(bytes_view subset, bytes_view pattern) noexcept {
    auto inner = tokens(subset).begin();
    for (auto outer = tokens(pattern).begin(); outer != std::default_sentinel; ++outer, ++inner) {
        if (inner == std::default_sentinel || (*outer).empty()) return false;
        if (*outer == ">") return true;
        if ((*inner).empty() || *inner == ">") return false;
        if (*inner == "*") {
            if (*outer != "*") return false;
        } else if ((*outer).front() != '*' && *inner != *outer) {
            return false;
        }
    }
    return inner == std::default_sentinel;
}

bool subjects_collide(bytes_view a, bytes_view b) noexcept {
    if (a == b) return true;
    const auto wild_a = wildcards_of(a), wild_b = wildcards_of(b);
    const bool literal_a = !wild_a.partial && !wild_a.full;
    const bool literal_b = !wild_b.partial && !wild_b.full;
    if (literal_a && literal_b) return false;
    if (literal_a) return is_subset(a, b);
    if (literal_b) return is_subset(b, a);

    auto token_a = tokens(a).begin(), token_b = tokens(b).begin();
    while (token_a != std::default_sentinel && token_b != std::default_sentinel) {
        if (!may_match_same_token(*token_a, *token_b)) return false;
        ++token_a, ++token_b;
    }
    // Of two lengths, the shorter one reaches the longer only by a `>`.
    if (token_a == std::default_sentinel && token_b == std::default_sentinel) return true;
    return token_a == std::default_sentinel ? wild_a.full : wild_b.full;
}

std::size_t token_count(bytes_view subject) noexcept {
    return 1 + static_cast<std::size_t>(std::count(subject.begin(), subject.end(), '.'));
}

} // namespace pipit::protocol
