// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace pipit::net {

/// Finds where a request's head ends: the request line and the header lines, with the blank line.
/// As Go's server, it takes lines that end with a line feed alone, and says what is wrong with a
/// request line as soon as that has come.
///
/// Source: RFC 9112, sections 2.2 and 3; Go's net/http.
class http_head_end {
public:
    enum class status : std::uint8_t { incomplete, complete, malformed, other_version };

    /// Looks at everything that has come of the request.
    [[nodiscard]] status look_at(bytes_view bytes);
    /// Of a complete one, with the blank line.
    [[nodiscard]] std::size_t size() const noexcept { return end_; }

private:
    [[nodiscard]] status check_request_line(bytes_view line) noexcept;

    std::size_t line_begin_ = 0; ///< Of the line that has not ended yet.
    std::size_t looked_at_ = 0;
    std::size_t end_ = 0;
    bool is_other_version_ = false;
};

/// The same head with CRLF at the end of every line; and `HTTP/1.7` is 1.1, which it has to
/// understand.
[[nodiscard]] std::string canonical_http_head(bytes_view head);

} // namespace pipit::net
