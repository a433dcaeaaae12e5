// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>
#include <pipit/server/log_line.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pipit::server {

struct log_file_options {
    std::string path;
    std::int64_t size_limit = 0; ///< Bytes; 0: it grows for ever.
    std::int64_t files_max = 0;  ///< Kept, with the current one; 0: all.
};

/// A file that lines are appended to. One that has become too large is renamed and a new one begun.
///
/// Threads: one at a time.
class log_file {
public:
    /// Errors: `errc::unusable_file`; the detail reads `open PATH: no such file or directory`.
    [[nodiscard]] static result<log_file> open(log_file_options options);
    ~log_file();
    log_file(log_file&& other) noexcept;
    log_file& operator=(log_file&&) = delete;

    /// `prefix` and `now` are for the line about a rotation.
    void append(std::string_view line, const log_prefix& prefix, wall_time now);

private:
    log_file(log_file_options options, int descriptor, std::int64_t size) noexcept;
    void rotate(const log_prefix& prefix, wall_time now);
    void remove_old_files(const log_prefix& prefix, wall_time now);

    log_file_options options_;
    int descriptor_;
    std::int64_t size_;
};

} // namespace pipit::server
