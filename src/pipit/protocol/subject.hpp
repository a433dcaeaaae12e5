// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstddef>
#include <iterator>

/// Subjects: tokens between dots. A token that is exactly `*` matches one token, a last token that
/// is exactly `>` matches one or more; everywhere else both are ordinary characters.
/// Source: "Subject-Based Messaging" in the NATS docs; client-protocol, section 7.
namespace pipit::protocol {

/// Valid to subscribe to: no empty token, nothing behind a `>` token, and no space, tab, CR, LF
/// or FF. `foo*bar` and `foo.>x` are valid and mean themselves.
[[nodiscard]] bool is_valid_subject(bytes_view subject) noexcept;

/// What a pedantic server asks of the subject of a PUB: no empty token and no wildcard token.
[[nodiscard]] bool is_valid_literal_subject(bytes_view subject) noexcept;

/// Valid and without a wildcard token: what a client may publish to.
[[nodiscard]] bool is_valid_publish_subject(bytes_view subject) noexcept;

/// Has no wildcard token (which does not make it valid).
[[nodiscard]] bool is_literal(bytes_view subject) noexcept;

/// Whether a message published to `subject` goes to a subscription to `pattern`. The subject is
/// literal: a wildcard in it is an ordinary token. A subject with an empty token matches nothing.
[[nodiscard]] bool subject_matches(bytes_view pattern, bytes_view subject) noexcept;

/// Whether every subject that `subset` matches is matched by `pattern` too; both may hold
/// wildcards. As nats-server's test: a token of `pattern` that begins with `*` matches like `*`.
[[nodiscard]] bool is_subset(bytes_view subset, bytes_view pattern) noexcept;

/// Whether some subject could match both; either may hold wildcards.
[[nodiscard]] bool subjects_collide(bytes_view a, bytes_view b) noexcept;

/// One more than the number of dots.
[[nodiscard]] std::size_t token_count(bytes_view subject) noexcept;

/// The tokens of a subject, in order, without allocation: `for (auto token : tokens("a.b"))`.
/// Lifetime: of the subject.
class tokens {
public:
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = bytes_view;
        using difference_type = std::ptrdiff_t;
        using pointer = const bytes_view*;
        using reference = bytes_view;

        iterator() noexcept = default;
        explicit iterator(bytes_view subject) noexcept : rest_(subject), done_(false) { cut(); }

        bytes_view operator*() const noexcept { return token_; }
        /// Whether no token follows.
        [[nodiscard]] bool is_last() const noexcept { return last_; }

        iterator& operator++() noexcept {
            if (last_) {
                done_ = true;
            } else {
                cut();
            }
            return *this;
        }
        iterator operator++(int) noexcept {
            const auto before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept {
            return it.done_;
        }

    private:
        void cut() noexcept {
            const auto dot = rest_.find('.');
            last_ = dot == bytes_view::npos;
            token_ = rest_.substr(0, dot);
            if (!last_) rest_.remove_prefix(dot + 1);
        }

        bytes_view rest_;
        bytes_view token_;
        bool last_ = true;
        bool done_ = true;
    };

    explicit tokens(bytes_view subject) noexcept : subject_(subject) {}
    [[nodiscard]] iterator begin() const noexcept { return iterator(subject_); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

private:
    bytes_view subject_;
};

} // namespace pipit::protocol
