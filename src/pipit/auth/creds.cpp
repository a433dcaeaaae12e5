// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/creds.hpp>

#include <pipit/auth/detail/octets.hpp>
#include <pipit/base/base64.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/base/trimmed.hpp>

#include <algorithm>
#include <vector>

namespace pipit::auth {
namespace {

/// Cuts the first line off, without its end and the blanks around it.
bytes_view take_line(bytes_view& text) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return trimmed(line, " \t\r");
}

/// `-----BEGIN NATS USER JWT-----`, with three dashes or more at both ends.
bool is_fence(bytes_view line) {
    return line.size() > 6 && line.starts_with("---") && line.ends_with("---");
}

/// What stands between two fences, in their order: at most two.
std::vector<bytes_view> fenced_lines(bytes_view text) {
    std::vector<bytes_view> found;
    while (!text.empty() && found.size() < 2) {
        if (!is_fence(take_line(text))) continue;
        const auto inside = take_line(text);
        if (!inside.empty() && is_fence(take_line(text))) found.push_back(inside);
    }
    return found;
}

result<nkey_seed> read_signing_seed(bytes_view line) {
    auto seed = decode_nkey_seed(line);
    if (seed && seed->prefix == nkey_prefix::curve) return errc::invalid_nkey_prefix;
    return seed;
}

bool is_token_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '=';
}

} // namespace

result<user_credentials> read_creds(bytes_view text) {
    if (text.size() > limits::creds_file_bytes) return error(errc::invalid_creds, "too long");
    const auto lines = fenced_lines(text);
    if (lines.empty()) return error(errc::invalid_creds, "there is no JWT between lines of dashes");
    if (lines.size() < 2) return error(errc::invalid_creds, "there is no seed behind the JWT");
    if (!std::all_of(lines[0].begin(), lines[0].end(), is_token_character)) {
        return error(errc::invalid_creds, "the JWT has characters that none has");
    }
    auto seed = read_signing_seed(lines[1]);
    if (!seed) return seed.error();
    return user_credentials{std::string(lines[0]), *seed};
}

result<nkey_seed> read_seed(bytes_view text) {
    if (text.size() > limits::creds_file_bytes) return error(errc::invalid_creds, "too long");
    if (const auto lines = fenced_lines(text); !lines.empty())
        return read_signing_seed(lines.back());
    while (!text.empty()) {
        if (const auto line = take_line(text); !line.empty()) return read_signing_seed(line);
    }
    return error(errc::invalid_creds, "it is empty");
}

bool looks_secret(bytes_view text) noexcept {
    // A seed has 58 letters and digits, of which some may be mistyped or missing.
    constexpr std::size_t bytes_min = 40;
    constexpr bytes_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    text = trimmed(text, " \t\r\n");
    if (text.size() < bytes_min) return false;
    const auto word = text.substr(0, text.find_first_not_of(letters));
    const bool is_seed = text.starts_with('S') && word.size() >= bytes_min;
    return is_seed || text.starts_with("eyJ") || text.starts_with("-----BEGIN");
}

std::string sign_nonce(const nkey_seed& seed, bytes_view nonce) {
    return to_base64url(detail::text_of(signing_key(seed).sign(nonce)));
}

} // namespace pipit::auth
