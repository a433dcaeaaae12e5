// SPDX-License-Identifier: Apache-2.0
// Source: RFC 6960, section 4.2.1; X.690 for DER.
#include <pipit/auth/detail/ocsp_status.hpp>

#include <pipit/auth/detail/der.hpp>

#include <cstddef>

namespace pipit::auth::detail {
namespace {

constexpr unsigned char octet_string = 0x04;
constexpr unsigned char generalized_time = 0x18;
constexpr unsigned char sequence = 0x30;
constexpr unsigned char context_0 = 0xa0; ///< `[0]`, with something inside.
constexpr unsigned char revoked = 0xa1;   ///< `[1]` of a status.

struct element {
    unsigned char tag = 0;
    bytes_view whole;
    bytes_view content;
};

/// Takes an element from the front; nothing when there is no whole one.
std::optional<element> take(bytes_view& rest) noexcept {
    constexpr std::size_t head_bytes = 2;
    constexpr unsigned char long_form = 0x80;
    constexpr std::size_t length_bytes_max = 3;
    if (rest.size() < head_bytes) return std::nullopt;
    std::size_t length = static_cast<unsigned char>(rest[1]);
    std::size_t begin = head_bytes;
    if (length >= long_form) {
        const auto count = length - long_form;
        if (count == 0 || count > length_bytes_max || rest.size() - begin < count)
            return std::nullopt;
        length = 0;
        for (const char byte : rest.substr(begin, count)) {
            length = length << 8 | static_cast<unsigned char>(byte);
        }
        begin += count;
    }
    if (rest.size() - begin < length) return std::nullopt;
    const element found{.tag = static_cast<unsigned char>(rest[0]),
                        .whole = rest.substr(0, begin + length),
                        .content = rest.substr(begin, length)};
    rest.remove_prefix(found.whole.size());
    return found;
}

/// The same, of this kind alone.
std::optional<element> take(bytes_view& rest, unsigned char wanted) noexcept {
    auto after = rest;
    auto found = take(after);
    if (!found || found->tag != wanted) return std::nullopt;
    rest = after;
    return found;
}

/// The one status of a list, with `revoked` where nothing is said.
std::optional<std::string> completed(bytes_view responses) {
    const auto one = take(responses, sequence);
    if (!one || !responses.empty()) return std::nullopt;
    auto rest = one->content;
    const auto about = take(rest, sequence);
    const auto from_here = rest;
    const auto from = about ? take(rest, generalized_time) : std::nullopt;
    if (!from) return std::nullopt;
    std::string content(about->whole);
    content += der_element(revoked, from->whole); // Since when is not known: since it is said.
    return der_element(sequence, content.append(from_here));
}

/// What stands in the answer as a string of bytes.
std::optional<bytes_view> basic_of(bytes_view answer) noexcept {
    const auto whole = take(answer, sequence);
    if (!whole) return std::nullopt;
    auto rest = whole->content;
    const auto status = take(rest);
    const auto bytes = status ? take(rest, context_0) : std::nullopt;
    if (!bytes) return std::nullopt;
    rest = bytes->content;
    const auto inner = take(rest, sequence);
    if (!inner) return std::nullopt;
    rest = inner->content;
    const auto type = take(rest);
    const auto basic = type ? take(rest, octet_string) : std::nullopt;
    if (!basic) return std::nullopt;
    return basic->content;
}

} // namespace

std::optional<completed_ocsp_answer> complete_ocsp_answer(bytes_view answer) {
    auto basic = basic_of(answer);
    const auto whole = basic ? take(*basic, sequence) : std::nullopt;
    if (!whole) return std::nullopt;
    auto behind = whole->content;
    const auto data = take(behind, sequence);
    if (!data) return std::nullopt;
    auto rest = data->content;
    (void)take(rest, context_0); // The version.
    const auto who = take(rest);
    const auto when = who ? take(rest, generalized_time) : std::nullopt;
    const auto before = data->content.substr(0, data->content.size() - rest.size());
    const auto responses = when ? take(rest, sequence) : std::nullopt;
    const auto list = responses ? completed(responses->content) : std::nullopt;
    if (!list) return std::nullopt;
    const auto new_data = std::string(before) + der_element(sequence, *list) + std::string(rest);
    return completed_ocsp_answer{
        .basic = der_element(sequence, der_element(sequence, new_data) + std::string(behind)),
        .signed_part = std::string(data->whole)};
}

} // namespace pipit::auth::detail
