// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipit::server {

/// A request target in its two parts, still escaped.
struct request_target {
    std::string_view path;
    std::string_view query;
};

/// Splits `/connz?subs=1` or `http://host/connz?subs=1`, which may have no path. Nothing when it is
/// neither, or when an escape in the path is broken.
[[nodiscard]] std::optional<request_target> parse_target(std::string_view target);

/// Without empty, `.` and `..` segments; a slash at the end stays.
[[nodiscard]] std::string clean_path(std::string_view path);

/// Replaces `%xx`, and `+` by a space if asked. Nothing when an escape is broken.
[[nodiscard]] std::optional<std::string> unescaped(std::string_view text, bool plus_is_space);

/// The parameters of a query. Each read gives the first value of that name; a value that cannot be
/// read gives the default and is remembered as the problem, the first one only.
class parameters {
public:
    /// Parts that are broken, or hold a semicolon, are skipped, as Go does.
    explicit parameters(std::string_view query);
    /// Those of a request that is no HTTP request.
    explicit parameters(std::vector<std::pair<std::string, std::string>> values)
        : values_(std::move(values)) {}

    [[nodiscard]] std::string text(std::string_view name) const;
    /// `1 t T TRUE true True` and their opposites; empty: false.
    [[nodiscard]] bool flag(std::string_view name);
    /// Empty: 0.
    [[nodiscard]] std::int64_t integer(std::string_view name);
    [[nodiscard]] std::uint64_t natural(std::string_view name);

    /// Adds a problem of the caller's, unless there is one.
    void complain(std::string text);
    /// What is to be answered with status 400, in nats-server's words; empty: everything was read.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

private:
    std::vector<std::pair<std::string, std::string>> values_;
    std::string problem_;
};

} // namespace pipit::server
