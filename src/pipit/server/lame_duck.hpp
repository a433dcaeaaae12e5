// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/random.hpp>
#include <pipit/base/time.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pipit::server {

/// In which order and how fast a server that is to end closes its connections: in any order, one
/// after the other or in groups, so that they do not all go to the next server at once.
/// Source: client-protocol, section 11.
class farewell {
public:
    /// `duration` is what is left of the lame-duck time after the grace period.
    farewell(std::vector<std::uint64_t> client_ids, nanoseconds duration, random_source& random);

    [[nodiscard]] bool done() const noexcept { return next_ == client_ids_.size(); }
    /// Who is to be closed now.
    [[nodiscard]] std::span<const std::uint64_t> next_group() noexcept;
    /// How long to wait until the next group.
    [[nodiscard]] nanoseconds next_pause(random_source& random) const noexcept;

private:
    std::vector<std::uint64_t> client_ids_;
    std::size_t next_ = 0;
    std::size_t group_size_ = 1;
    nanoseconds interval_;
};

} // namespace pipit::server
