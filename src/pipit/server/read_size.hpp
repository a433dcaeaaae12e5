// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pipit::server {

/// How much a connection's next read may bring. Whoever sends what is soon done is read in large
/// pieces, and others in what fits one turn: 256 KiB of SUBs would be 11 ms of work, and everybody
/// else on the loop would wait as long.
class read_size {
public:
    static constexpr std::uint32_t first_bytes = 32 * 1024;
    static constexpr std::uint32_t least_bytes = 4 * 1024;

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    /// A read brought so much, and what it asked for took so long.
    void note(std::size_t read_bytes, nanoseconds taken) noexcept;

private:
    std::uint32_t bytes_ = first_bytes;
};

} // namespace pipit::server
