// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/time.hpp>
#include <pipit/server/log_limits.hpp>
#include <pipit/server/log_line.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pipit::server {

/// Writes lines of a log to what may not take them: a full disk, a pipe or terminal that nobody
/// reads. A server goes on without its log: lines are lost then, and counted, and as soon as lines
/// are taken again the first of them says how many were not.
///
/// Threads: one at a time.
class line_writer {
public:
    /// Takes the descriptor. One that may be waited for (a pipe, a terminal) has to be
    /// non-blocking.
    explicit line_writer(int descriptor, nanoseconds patience = limits::log_patience);
    /// Writes to standard error, by a descriptor of its own where that is needed: whether somebody
    /// waits is a matter of all programs that share one.
    [[nodiscard]] static line_writer for_standard_error();
    ~line_writer();
    line_writer(line_writer&& other) noexcept;
    line_writer& operator=(line_writer&&) = delete;

    /// Returns how many bytes were taken. `prefix` and `now` are for the line about lost ones.
    std::size_t write(std::string_view line, const log_prefix& prefix, wall_time now);
    /// Another descriptor from now on; the one before is closed.
    void go_on_with(int descriptor);

    /// The last line was not taken.
    [[nodiscard]] bool is_losing() const noexcept { return lost_ > 0; }
    /// Why: `no space left on device`.
    [[nodiscard]] std::string why() const;
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

private:
    std::size_t take(std::string_view text, bool waits);
    [[nodiscard]] bool wait_for_room();
    void regain_patience();
    void close();

    int descriptor_;
    bool is_owned_ = true;
    bool is_socket_ = false;
    bool is_cut_ = false; ///< The last line has an end that is missing.
    int reason_ = 0;      ///< The system's number.
    std::uint64_t lost_ = 0;
    nanoseconds patience_max_;
    nanoseconds patience_;
    steady_time regained_{};
};

} // namespace pipit::server
