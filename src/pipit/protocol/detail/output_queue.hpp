// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/assert.hpp>
#include <pipit/base/bytes.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace pipit::protocol::detail {

/// Bytes to be sent: operations are appended at the end, what was sent goes away at the front.
class output_queue {
public:
    /// Where operations are appended to.
    [[nodiscard]] std::string& end() noexcept { return bytes_; }
    [[nodiscard]] bytes_view pending() const noexcept { return bytes_view(bytes_).substr(sent_); }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() - sent_; }

    void consume(std::size_t count) {
        PIPIT_ASSERT(count <= size());
        sent_ += count;
        if (sent_ == bytes_.size()) {
            clear();
        } else if (sent_ > bytes_.size() / 2) { // So that each byte is moved once, on average.
            bytes_.erase(0, sent_);
            sent_ = 0;
        }
    }
    void take(std::string& into) {
        PIPIT_ASSERT(into.empty());
        bytes_.erase(0, std::exchange(sent_, 0));
        bytes_.swap(into);
    }
    /// Gives back the memory of a burst that is over.
    void release() noexcept {
        if (bytes_.empty() && bytes_.capacity() > kept_bytes) std::string().swap(bytes_);
    }
    void clear() noexcept {
        bytes_.clear();
        sent_ = 0;
    }

private:
    static constexpr std::size_t kept_bytes = std::size_t{16} * 1024;

    std::string bytes_;
    std::size_t sent_ = 0;
};

} // namespace pipit::protocol::detail
