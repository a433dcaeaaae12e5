// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// Subjects as claims write them. They are not yet known to be subjects: whatever stands there is
/// judged as `nsc`'s own module does it.
namespace pipit::auth::detail {

/// Unlike nats-server: one of more than 1024 tokens, which nobody could use, is not looked into.
/// Empty: it is short enough.
[[nodiscard]] std::string problem_of_length(std::string_view subject);
/// What is wrong with it; empty: nothing.
[[nodiscard]] std::string problem_of_subject(std::string_view subject);

/// Has a token `*`, or `>` as its last one: unlike `!protocol::is_literal`, not so for `a.>.b`.
[[nodiscard]] bool has_wildcard(std::string_view subject) noexcept;

/// What is wrong with calling `from` so: each `*` of it stands there once, as `*` or as `$1`, and a
/// `>` at the end in both or in none.
[[nodiscard]] std::string problem_of_renaming(std::string_view to, std::string_view from);
/// `orders.$1` as the pattern that it is, `orders.*`.
[[nodiscard]] std::string pattern_of_renaming(std::string_view to);

} // namespace pipit::auth::detail
