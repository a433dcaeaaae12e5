// SPDX-License-Identifier: Apache-2.0
#include <pipit/protocol/connect_without_secrets.hpp>

#include <pipit/base/ascii_case.hpp>

#include <algorithm>
#include <array>

namespace pipit::protocol {
namespace {

constexpr bytes_view blanks = " \t\r\n";

/// Behind the quote that ends the string at `begin`.
std::size_t string_end(bytes_view json, std::size_t begin) noexcept {
    for (auto at = begin + 1; at < json.size(); ++at) {
        if (json[at] == '\\') {
            ++at;
        } else if (json[at] == '"') {
            return at + 1;
        }
    }
    return json.size();
}

/// Behind the value at `begin`, whatever it is.
std::size_t value_end(bytes_view json, std::size_t begin) noexcept {
    std::size_t depth = 0;
    for (auto at = begin; at < json.size();) {
        const char c = json[at];
        if (depth == 0 && (c == ',' || c == '}' || c == ']' || blanks.find(c) != blanks.npos)) {
            return at;
        }
        if (c == '"') {
            at = string_end(json, at);
            if (depth == 0) return at;
            continue;
        }
        ++at;
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && --depth == 0) return at;
    }
    return json.size();
}

/// What nats-server hides, and JWTs, which for some users are all that they need. A key that is
/// written in an unusual way may be any of them.
bool may_be_secret(bytes_view key) {
    const auto is_unusual = [](char c) {
        return c == '\\' || static_cast<unsigned char>(c) >= 0x80;
    };
    if (std::ranges::any_of(key, is_unusual)) return true;
    const auto name = lower_case(key);
    constexpr std::array<std::string_view, 4> exact{"jwt", "nkey", "sig", "proxy_sig"};
    return name.find("pass") != std::string::npos || name.find("token") != std::string::npos ||
           std::find(exact.begin(), exact.end(), name) != exact.end();
}

} // namespace

std::string connect_without_secrets(bytes_view json) {
    std::string shown;
    std::size_t at = 0;
    const auto copy_to = [&](std::size_t end) {
        shown += json.substr(at, end - at);
        at = end;
    };
    while (at < json.size()) {
        copy_to(std::min(json.find('"', at), json.size()));
        if (at == json.size()) break;
        const auto begin = at;
        copy_to(string_end(json, begin));
        const auto key = json.substr(begin + 1, at - begin - 2);
        const auto colon = json.find_first_not_of(blanks, at);
        if (colon == bytes_view::npos || json[colon] != ':' || !may_be_secret(key)) continue;
        copy_to(std::min(json.find_first_not_of(blanks, colon + 1), json.size()));
        shown += "\"[REDACTED]\"";
        at = value_end(json, at);
    }
    return shown;
}

} // namespace pipit::protocol
