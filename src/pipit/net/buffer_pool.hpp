// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/filter_limits.hpp>

#include <string>
#include <utility>
#include <vector>

namespace pipit::net {

/// Buffers that are full for a moment only, shared by all who run on one thread, so that nobody
/// who is idle owns one.
class buffer_pool {
public:
    /// An empty one, that has its memory already when there is a spare one.
    [[nodiscard]] std::string take() {
        if (spare_.empty()) return {};
        auto taken = std::move(spare_.back());
        spare_.pop_back();
        return taken;
    }

    /// Leaves `buffer` empty and without memory.
    void give_back(std::string& buffer) {
        auto given = std::exchange(buffer, {});
        const bool has_memory = given.capacity() > std::string().capacity();
        if (!has_memory || given.capacity() > limits::filter_buffer_bytes ||
            spare_.size() == limits::filter_buffers) {
            return;
        }
        given.clear();
        spare_.push_back(std::move(given));
    }

private:
    std::vector<std::string> spare_;
};

} // namespace pipit::net
