// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/url_list.hpp>

#include <pipit/base/ascii_case.hpp>
#include <pipit/base/trimmed.hpp>
#include <pipit/base/url_user.hpp>

#include <algorithm>
#include <array>

namespace pipit {
namespace {

constexpr auto nowhere = std::string_view::npos;
constexpr std::string_view blanks = " \t\n\v\f\r";

/// Whether a URL of a server, or of monitoring, begins so.
bool is_known_scheme(std::string_view text) {
    constexpr std::array<std::string_view, 6> schemes = {"nats", "tls",  "ws",
                                                         "wss",  "http", "https"};
    return std::any_of(schemes.begin(), schemes.end(),
                       [&](std::string_view scheme) { return equal_without_case(text, scheme); });
}

/// The comma behind which another URL surely begins: one that stands before a scheme. A password
/// may have commas, and one before what only looks like a scheme.
std::size_t comma_before_next(std::string_view urls) {
    for (auto at = urls.find("://"); at != nowhere; at = urls.find("://", at + 3)) {
        const auto comma = urls.rfind(',', at);
        if (comma == nowhere) continue;
        if (is_known_scheme(trimmed(urls.substr(comma + 1, at - comma - 1), blanks))) return comma;
    }
    return nowhere;
}

/// Takes what stands before a comma, and the comma.
std::string_view take_until(std::size_t comma, std::string_view& from) {
    const auto taken = from.substr(0, comma);
    from.remove_prefix(std::min(taken.size() + 1, from.size()));
    return taken;
}

} // namespace

std::vector<listed_url> split_urls(std::string_view list) {
    std::vector<listed_url> urls;
    while (!list.empty()) {
        for (auto rest = take_until(comma_before_next(list), list); !rest.empty();) {
            const auto url = trimmed(take_until(rest.find(','), rest), blanks);
            if (!url.empty()) urls.push_back({url, rest.find('@') != nowhere});
        }
    }
    return urls;
}

std::string urls_without_users(std::string_view list) {
    std::string shown;
    while (!list.empty()) {
        const auto comma = comma_before_next(list);
        const auto one = take_until(comma, list);
        const auto user = url_user_of(one);
        shown += one.substr(0, user.begin);
        shown += one.substr(user.empty() ? user.begin : user.end + 1);
        if (comma != nowhere) shown += ',';
    }
    return shown;
}

} // namespace pipit
