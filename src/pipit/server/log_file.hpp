// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/server/line_writer.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pipit::server {

struct log_file_options {
    std::string path;
    std::int64_t size_limit = 0; ///< Bytes; 0: it grows for ever.
    std::int64_t files_max = 0;  ///< Kept, with the current one; 0: all.
};

/// A file that lines are appended to. One that has become too large is renamed and a new one begun;
/// where that is not possible, it goes on as it is and tries again later.
///
/// Threads: one at a time.
class log_file {
public:
    /// Errors: `errc::unusable_file`; the detail reads `open PATH: no such file or directory`.
    [[nodiscard]] static result<log_file> open(log_file_options options);

    /// `prefix` and `now` are for the lines about a rotation, and about lines that were lost.
    void append(std::string_view line, const log_prefix& prefix, wall_time now);

    /// The last line was not taken, as the disk is full or nobody reads the pipe.
    [[nodiscard]] bool is_losing() const noexcept { return out_.is_losing(); }
    /// `The log file PATH takes no lines: no space left on device`
    [[nodiscard]] std::string failure() const;

private:
    log_file(log_file_options options, int descriptor, std::int64_t size);
    void write(std::string_view line, const log_prefix& prefix, wall_time now);
    void rotate(const log_prefix& prefix, wall_time now);
    void put_off_rotation(const std::string& action, const log_prefix& prefix, wall_time now);
    void remove_old_files(const log_prefix& prefix, wall_time now);

    log_file_options options_;
    line_writer out_;
    std::int64_t size_;
    std::int64_t rotated_at_; ///< The size; 0: never.
};

} // namespace pipit::server
