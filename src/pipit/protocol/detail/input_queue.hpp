// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/assert.hpp>
#include <pipit/base/limits.hpp>
#include <pipit/protocol/parser.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

namespace pipit::protocol::detail {

/// A parser with a buffer of its own to read into. It is small at first, doubles when a read fills
/// it, and halves after many reads that leave most of it empty.
template <role Role>
class input_queue {
public:
    /// To read into: the buffer behind what is not parsed yet, or the place of a large payload that
    /// is under way. Empty only when the buffer is full of what nobody parses.
    [[nodiscard]] std::span<char> prepare() {
        if (const auto space = parser_.direct_space(); !space.empty()) return space;
        if (buffer_ == nullptr || (unread_.empty() && wanted_bytes_ != buffer_bytes_)) {
            buffer_.reset();
            buffer_ = std::make_unique_for_overwrite<char[]>(wanted_bytes_);
            buffer_bytes_ = wanted_bytes_;
        }
        if (!unread_.empty()) std::memmove(buffer_.get(), unread_.data(), unread_.size());
        unread_ = {buffer_.get(), unread_.size()};
        return {buffer_.get() + unread_.size(), buffer_bytes_ - unread_.size()};
    }
    void commit(std::size_t count) {
        if (!parser_.direct_space().empty()) {
            parser_.commit_direct(count);
            committed_directly_ = count != 0;
            return;
        }
        PIPIT_ASSERT(count <= buffer_bytes_ - unread_.size());
        unread_ = {unread_.data(), unread_.size() + count};
        adapt(count);
    }

    /// Begins small again: nothing has come for long.
    void expect_little() noexcept { wanted_bytes_ = limits::input_buffer_bytes_min; }

    /// Goes on with what was read; everything is parsed when `paused` is not the answer.
    template <class Visitor>
    parse_status parse(const parser_limits& limits, Visitor& visitor) {
        if (unread_.empty() && !committed_directly_) return parse_status::need_more;
        committed_directly_ = false;
        const auto outcome = parser_.parse(unread_, limits, visitor);
        unread_.remove_prefix(outcome.consumed);
        return outcome.status;
    }

    /// Nothing is left to be parsed, and no operation under way.
    [[nodiscard]] bool empty() const noexcept {
        return unread_.empty() && !committed_directly_ && parser_.idle();
    }

    /// Forgets everything, for a new connection.
    void reset() {
        parser_ = {};
        unread_ = {};
        committed_directly_ = false;
    }

private:
    void adapt(std::size_t read_bytes) noexcept {
        if (unread_.size() == buffer_bytes_) {
            wanted_bytes_ = std::min(buffer_bytes_ * 2, limits::input_buffer_bytes_max);
            small_reads_ = 0;
        } else if (read_bytes > buffer_bytes_ / 4) {
            small_reads_ = 0;
        } else if (++small_reads_ == small_reads_max) {
            wanted_bytes_ = std::max(buffer_bytes_ / 2, limits::input_buffer_bytes_min);
            small_reads_ = 0;
        }
    }

    static constexpr unsigned small_reads_max = 64; // In a row.

    parser<Role> parser_;
    std::unique_ptr<char[]> buffer_;
    std::size_t buffer_bytes_ = 0;
    std::size_t wanted_bytes_ = limits::input_buffer_bytes_min; ///< Of the next buffer.
    unsigned small_reads_ = 0;
    bytes_view unread_;
    bool committed_directly_ = false;
};

} // namespace pipit::protocol::detail
