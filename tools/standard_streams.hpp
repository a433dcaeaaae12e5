// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace pipit {

/// Fills the places of standard streams that are closed, before a socket takes one of them and gets
/// what is meant for people. What is read or written there fails, as it would without them.
inline void open_standard_streams() noexcept {
    constexpr std::array<int, 3> opposite = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(stream, F_GETFD) < 0) {
            // The lowest number that is free is this one.
            (void)::open("/dev/null", opposite[static_cast<std::size_t>(stream)]);
        }
    }
}

} // namespace pipit
