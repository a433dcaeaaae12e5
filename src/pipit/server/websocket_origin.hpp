// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pipit::server {

/// Where a web page comes from: what browsers say in `Origin`, and what a configuration allows.
struct web_origin {
    std::string scheme; ///< `http`, `https`, or another one, in lower case.
    std::string host;   ///< In lower case, without brackets.
    std::string port;   ///< `443` or `80` where none was written.
    friend bool operator==(const web_origin&, const web_origin&) = default;
};

/// Nothing when it is no URL with a scheme and a host, or when more follows than a path.
[[nodiscard]] std::optional<web_origin> parse_origin(std::string_view text);

/// The same of a request's `Host`.
[[nodiscard]] std::optional<web_origin> origin_of_host(std::string_view host, bool over_tls);

} // namespace pipit::server
