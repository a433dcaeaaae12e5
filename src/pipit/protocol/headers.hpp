// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pipit::protocol {

/// The headers of a message: names with values, in the order in which they stand. A name keeps its
/// case and may occur several times; names are compared exactly.
///
/// On the wire: `NATS/1.0`, an inline status (`NATS/1.0 503 No Responders`), CRLF, lines of
/// `Name: value`, a blank line.
/// Source: ADR-4.
class headers {
public:
    struct entry {
        std::string name;
        std::string value;

        friend bool operator==(const entry&, const entry&) = default;
    };
    using const_iterator = std::vector<entry>::const_iterator;

    /// Reads a header block. White space around a value is cut off, a line without a name skipped;
    /// CR may be missing before LF.
    /// Errors: `errc::invalid_header` without the version line, a colon or the closing blank line,
    ///         or with a status that is not three digits.
    [[nodiscard]] static result<headers> parse(bytes_view block);

    /// Appends the header block.
    void append_to(std::string& out) const;

    /// The first value of that name, if there is one.
    /// Lifetime: of the headers, until they change.
    [[nodiscard]] std::optional<bytes_view> get(bytes_view name) const noexcept;
    [[nodiscard]] std::optional<bytes_view> get_ignoring_case(bytes_view name) const noexcept;
    [[nodiscard]] std::vector<bytes_view> values(bytes_view name) const;

    /// One value in place of all that the name had, where the first of them stood, else at the end.
    /// Errors: `errc::invalid_header` for a name that is not of printable ASCII without blanks and
    ///         colon, or a value with CR or LF.
    [[nodiscard]] result<> set(bytes_view name, bytes_view value);
    /// One value more, at the end. Errors: as `set`.
    [[nodiscard]] result<> append(bytes_view name, bytes_view value);
    void erase(bytes_view name);

    /// Three digits, such as 503 for "no responders"; 0 when there is no status.
    [[nodiscard]] int status() const noexcept { return status_; }
    [[nodiscard]] bytes_view description() const noexcept { return description_; }
    /// Errors: `errc::invalid_header` unless 100 <= status <= 999 and the text is one line.
    [[nodiscard]] result<> set_status(int status, bytes_view description = {});

    [[nodiscard]] bool empty() const noexcept { return entries_.empty() && status_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] const_iterator begin() const noexcept { return entries_.begin(); }
    [[nodiscard]] const_iterator end() const noexcept { return entries_.end(); }

    friend bool operator==(const headers&, const headers&) = default;

private:
    [[nodiscard]] bool read_status(bytes_view text);

    std::vector<entry> entries_;
    int status_ = 0;
    std::string description_;
};

/// The first value of `name` in a header block, without reading the rest: for a server that looks
/// for one header. Nothing is checked; lines have to end with CRLF.
[[nodiscard]] std::optional<bytes_view> find_header(bytes_view block, bytes_view name) noexcept;

/// The inline status of a header block, such as 503; 0 when there is none, or no block.
[[nodiscard]] int find_status(bytes_view block) noexcept;

} // namespace pipit::protocol
