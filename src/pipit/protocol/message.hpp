// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/block.hpp>
#include <pipit/base/bytes.hpp>
#include <pipit/base/error.hpp>
#include <pipit/protocol/headers.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace pipit::protocol {

/// A message that owns its bytes: one counted block, whatever its fields, so that a copy costs a
/// counter and keeping one costs its own size.
///
/// Threads: copies may live on different threads; one copy belongs to one.
class message {
public:
    /// An empty one, without a subject.
    message() noexcept = default;
    /// Copies the fields into a block of their size.
    message(bytes_view subject, bytes_view reply, bytes_view header_block, bytes_view payload);
    /// Shares `whole`, into which all the views that are not empty point.
    message(block_pointer whole, bytes_view subject, bytes_view reply, bytes_view header_block,
            bytes_view payload) noexcept;

    /// Lifetime of this and the other views: the message and its copies.
    [[nodiscard]] bytes_view subject() const noexcept { return view(subject_); }
    [[nodiscard]] bytes_view reply() const noexcept { return view(reply_); }
    [[nodiscard]] bytes_view payload() const noexcept { return view(payload_); }

    /// As it came, with its version line and the closing blank line; empty without headers.
    [[nodiscard]] bytes_view header_block() const noexcept { return view(headers_); }
    [[nodiscard]] bool has_headers() const noexcept { return headers_.size != 0; }
    /// The first value of that name, without reading the others.
    [[nodiscard]] std::optional<bytes_view> header(bytes_view name) const noexcept;
    /// All of them. Errors: `errc::invalid_header`.
    [[nodiscard]] result<protocol::headers> headers() const;
    /// Three digits of an inline status, such as 503; 0 when there is none.
    [[nodiscard]] int status() const noexcept;

    /// What the message takes on the wire beside its control line's blanks: for pending limits.
    [[nodiscard]] std::size_t size() const noexcept {
        return std::size_t{subject_.size} + reply_.size + headers_.size + payload_.size;
    }

private:
    /// Within the block; a message is smaller than 4 GiB.
    struct part {
        std::uint32_t offset = 0;
        std::uint32_t size = 0;
    };
    [[nodiscard]] bytes_view view(part where) const noexcept {
        return block_ ? bytes_view(block_->data() + where.offset, where.size) : bytes_view();
    }

    block_pointer block_;
    part subject_;
    part reply_;
    part headers_;
    part payload_;
};

} // namespace pipit::protocol
