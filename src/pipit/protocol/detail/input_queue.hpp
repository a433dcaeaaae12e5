// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/assert.hpp>
#include <pipit/protocol/parser.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

namespace pipit::protocol::detail {

/// A parser with a buffer of its own to read into.
template <role Role>
class input_queue {
public:
    /// To read into: the buffer behind what is not parsed yet, or the place of a large payload that
    /// is under way. Empty only when the buffer is full of what nobody parses.
    [[nodiscard]] std::span<char> prepare() {
        if (const auto space = parser_.direct_space(); !space.empty()) return space;
        if (buffer_ == nullptr) buffer_ = std::make_unique<char[]>(buffer_bytes);
        if (!unread_.empty()) std::memmove(buffer_.get(), unread_.data(), unread_.size());
        unread_ = {buffer_.get(), unread_.size()};
        return {buffer_.get() + unread_.size(), buffer_bytes - unread_.size()};
    }
    void commit(std::size_t count) {
        if (!parser_.direct_space().empty()) {
            parser_.commit_direct(count);
            committed_directly_ = count != 0;
        } else {
            PIPIT_ASSERT(count <= buffer_bytes - unread_.size());
            unread_ = {unread_.data(), unread_.size() + count};
        }
    }

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
    static constexpr std::size_t buffer_bytes = std::size_t{32} * 1024;

    parser<Role> parser_;
    std::unique_ptr<char[]> buffer_;
    bytes_view unread_;
    bool committed_directly_ = false;
};

} // namespace pipit::protocol::detail
