// SPDX-License-Identifier: Apache-2.0
#include <cli/secrets.hpp>

#include <cli/settings.hpp>

#include <algorithm>

namespace pipit::cli {

bool looks_secret(std::string_view text) {
    // A seed has 58 letters and digits, of which some may be mistyped or missing.
    constexpr std::size_t bytes_min = 40;
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.size() < bytes_min) return false;
    const auto word = text.substr(0, text.find_first_not_of(letters));
    const bool is_seed = text.starts_with('S') && word.size() >= bytes_min;
    return is_seed || text.starts_with("eyJ") || text.starts_with("-----BEGIN");
}

std::string quoted_unless_secret(std::string_view text) {
    if (looks_secret(text) || text.starts_with("data:")) return "this";
    const bool is_url = text.find("://") != std::string_view::npos;
    return "'" + (is_url ? without_secrets(text) : std::string(text)) + "'";
}

} // namespace pipit::cli
