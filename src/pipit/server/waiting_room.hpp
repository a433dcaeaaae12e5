// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/party.hpp>

#include <cstddef>
#include <map>
#include <mutex>

namespace pipit::server {

/// Counts who waits for something, so that no party takes the room of all others: of one that has
/// `few` there, no more come in once half of the room is taken.
///
/// Threads: all.
class waiting_room {
public:
    struct bounds {
        std::size_t most = 0;
        std::size_t few = 0;
    };
    explicit waiting_room(bounds how_many) : bounds_(how_many) {}

    /// False: there is no room. Otherwise `leave` ends it.
    [[nodiscard]] bool enter(party one) {
        const std::lock_guard guard(lock_);
        const auto found = of_party_.find(one);
        const auto of_it = found == of_party_.end() ? 0 : found->second;
        if (all_ >= (of_it < bounds_.few ? bounds_.most : bounds_.most / 2)) return false;
        ++all_;
        ++of_party_[one];
        return true;
    }
    void leave(party one) {
        const std::lock_guard guard(lock_);
        const auto found = of_party_.find(one);
        --all_;
        if (--found->second == 0) of_party_.erase(found);
    }

private:
    const bounds bounds_;
    std::mutex lock_;
    std::size_t all_ = 0;
    std::map<party, std::size_t> of_party_;
};

} // namespace pipit::server
