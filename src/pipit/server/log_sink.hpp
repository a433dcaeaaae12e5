// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/server/line_writer.hpp>
#include <pipit/server/log_file.hpp>
#include <pipit/server/log_line.hpp>
#include <pipit/server/options.hpp>
#include <pipit/server/syslog.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>

namespace pipit::server {

/// Where a server's log goes: standard error, a file, or the system's log. A log that takes nothing
/// does not stop the server; that a file takes nothing is said on standard error.
///
/// Threads: all.
class log_sink {
public:
    /// Until `configure`, lines go to standard error, plainly. `program` names it for syslog.
    explicit log_sink(std::string program);
    /// Hands every line to a function of the embedding program; the options' places are not used.
    explicit log_sink(logger::sink write_line);

    /// Obeys the options about logs. On an error everything stays as it was.
    /// Errors: those of `log_file::open` and `syslog::open`.
    [[nodiscard]] result<> configure(const server_options& options);
    /// Begins the file again, which somebody has moved away. Errors: those of `log_file::open`.
    [[nodiscard]] result<> reopen();

    void write(log_level level, std::string_view text);

private:
    struct standard_error {};

    void tell_of_losses(const log_file& file, wall_time now);

    std::mutex lock_;
    logger::sink embedder_; ///< Empty: the target is what counts.
    std::string program_;
    log_prefix prefix_;
    log_file_options file_options_;
    std::variant<standard_error, std::unique_ptr<log_file>, std::unique_ptr<syslog>> target_;
    line_writer standard_error_;
    steady_time tells_again_at_{}; ///< Of a file that takes no lines.
};

/// A logger that writes there, as talkative as the options ask for.
[[nodiscard]] logger make_logger(std::shared_ptr<log_sink> sink, const server_options& options);

} // namespace pipit::server
