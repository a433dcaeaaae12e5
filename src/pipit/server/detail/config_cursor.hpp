// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace pipit::server::detail {

/// A place in a configuration's text that moves forward and knows its line.
///
/// The end reads as a zero byte; `config_language` refuses texts that contain one.
class config_cursor {
public:
    explicit config_cursor(std::string_view text) noexcept : text_(text) {}

    [[nodiscard]] bool at_end() const noexcept { return offset_ >= text_.size(); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
        return offset_ + ahead < text_.size() ? text_[offset_ + ahead] : '\0';
    }
    [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
    [[nodiscard]] std::string_view since(std::size_t start) const noexcept {
        return text_.substr(start, offset_ - start);
    }

    char next() noexcept {
        if (at_end()) return '\0';
        const char c = text_[offset_];
        if (c == '\n') {
            ++line_;
            line_start_ = offset_;
        }
        ++offset_;
        return c;
    }
    void skip(std::size_t count) noexcept {
        while (count-- > 0) next();
    }
    /// Takes the character if it comes next.
    bool take(char wanted) noexcept {
        if (at_end() || peek() != wanted) return false;
        next();
        return true;
    }

    [[nodiscard]] int line() const noexcept { return line_; }
    /// nats-server counts from the line feed before, which the first line does not have.
    [[nodiscard]] int column() const noexcept { return static_cast<int>(offset_ - line_start_); }

    /// The length of the white space character that comes next, in bytes; 0 if there is none.
    /// Keys end at any white space of Unicode: no-break spaces come with text that was copied
    /// from a page.
    [[nodiscard]] std::size_t space_length() const noexcept {
        const auto c = static_cast<unsigned char>(peek());
        if (at_end()) return 0;
        if (c == ' ' || (c >= '\t' && c <= '\r')) return 1;
        const auto second = static_cast<unsigned char>(peek(1));
        const auto third = static_cast<unsigned char>(peek(2));
        if (c == 0xc2) return second == 0x85 || second == 0xa0 ? 2 : 0;
        if (c == 0xe1) return second == 0x9a && third == 0x80 ? 3 : 0;
        if (c == 0xe3) return second == 0x80 && third == 0x80 ? 3 : 0;
        if (c != 0xe2) return 0;
        const bool general = second == 0x80 && ((third >= 0x80 && third <= 0x8a) || third == 0xa8 ||
                                                third == 0xa9 || third == 0xaf);
        return general || (second == 0x81 && third == 0x9f) ? 3 : 0;
    }

private:
    std::string_view text_;
    std::size_t offset_ = 0;
    std::size_t line_start_ = 0;
    int line_ = 1;
};

[[nodiscard]] constexpr bool is_line_end(char c) noexcept { return c == '\n' || c == '\r'; }
/// What may stand beside a value in its line.
[[nodiscard]] constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_key_separator(char c) noexcept { return c == '=' || c == ':'; }

} // namespace pipit::server::detail
