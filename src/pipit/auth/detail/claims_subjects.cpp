// SPDX-License-Identifier: Apache-2.0
#include <pipit/auth/detail/claims_subjects.hpp>

#include <pipit/protocol/go_text.hpp>
#include <pipit/protocol/subject.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pipit::auth::detail {
namespace {

using protocol::quoted;
using protocol::tokens;

/// A control line, 4096 bytes by default, has no room for a subject of many more, so that nobody
/// could publish to it; and what compares subjects may go as deep as they have tokens.
constexpr std::size_t tokens_max = 1024;

std::size_t count_of_asterisks(std::string_view subject) noexcept {
    std::size_t count = 0;
    for (const auto token : tokens(subject)) count += token == "*" ? 1 : 0;
    return count;
}

bool ends_open(std::string_view subject) noexcept {
    return subject == ">" || subject.ends_with(".>");
}

/// `$2`; nothing: the token refers to no wildcard.
std::optional<std::int64_t> reference_in(std::string_view token) noexcept {
    if (token.size() < 2 || token.front() != '$') return std::nullopt;
    token.remove_prefix(1);
    if (token.front() == '+') token.remove_prefix(1);
    std::int64_t number = 0; // As wide as Go's.
    const auto read = std::from_chars(token.begin(), token.end(), number);
    if (read.ec != std::errc() || read.ptr != token.end()) return std::nullopt;
    return number;
}

} // namespace

std::string problem_of_length(std::string_view subject) {
    if (protocol::token_count(subject) <= tokens_max) return {};
    return "subject has more than " + std::to_string(tokens_max) + " tokens";
}

std::string problem_of_subject(std::string_view subject) {
    if (subject.empty()) return "subject cannot be empty";
    if (auto problem = problem_of_length(subject); !problem.empty()) return problem;
    if (subject.find(' ') != std::string_view::npos) {
        return "subject " + quoted(subject) + " cannot have spaces";
    }
    if (subject.front() == '.' || subject.back() == '.') {
        return "subject " + quoted(subject) + " cannot start or end with a `.`";
    }
    if (subject.find("..") != std::string_view::npos) {
        return "subject " + quoted(subject) + " cannot contain consecutive `.`";
    }
    return {};
}

bool has_wildcard(std::string_view subject) noexcept {
    return ends_open(subject) || count_of_asterisks(subject) != 0;
}

std::string problem_of_renaming(std::string_view to, std::string_view from) {
    auto problem = problem_of_subject(to);
    if (!problem.empty()) return problem;
    if (ends_open(to) != ends_open(from)) {
        return "both, renaming subject and subject, need to end or not end in >";
    }
    const auto there = count_of_asterisks(from);
    std::size_t used = 0;
    for (const auto token : tokens(to)) {
        const auto reference = reference_in(token);
        if (token == "*") ++used;
        if (!reference) continue;
        if (*reference > 0 && static_cast<std::size_t>(*reference) > there) {
            problem = "Reference " + std::string(token) + " in " + quoted(to) + " reference * in " +
                      quoted(from) + " that do not exist";
        } else {
            ++used;
        }
    }
    if (problem.empty() && used != there) {
        problem = "subject does not contain enough * or reference wildcards $[0-9]";
    }
    return problem;
}

std::string pattern_of_renaming(std::string_view to) {
    std::string pattern;
    for (const auto token : tokens(to)) {
        if (!pattern.empty()) pattern += '.';
        pattern += reference_in(token) ? "*" : token;
    }
    return pattern;
}

} // namespace pipit::auth::detail
