// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/clock.hpp>
#include <pipit/server/log_sink.hpp>

#include <unistd.h>
#include <utility>

namespace pipit::server {

log_sink::log_sink(std::string program)
    : program_(std::move(program)), standard_error_(line_writer::for_standard_error()) {
    prefix_.pid = static_cast<int>(::getpid());
}

log_sink::log_sink(logger::sink write_line)
    : embedder_(std::move(write_line)), standard_error_(-1) {}

result<> log_sink::configure(const server_options& options) {
    if (embedder_) return {};
    decltype(target_) target;
    const log_file_options file{options.log_file, options.log_size_limit, options.log_max_num};
    if (!file.path.empty()) {
        auto opened = log_file::open(file);
        if (!opened) return opened.error();
        target = std::make_unique<log_file>(std::move(*opened));
    } else if (options.syslog || !options.remote_syslog.empty()) {
        auto opened = syslog::open(options.remote_syslog, program_);
        if (!opened) return opened.error();
        target = std::make_unique<syslog>(std::move(*opened));
    }
    const std::lock_guard guard(lock_);
    target_ = std::move(target);
    file_options_ = file;
    prefix_.with_time = options.logtime;
    prefix_.in_utc = options.logtime_utc;
    prefix_.in_colors =
        std::holds_alternative<standard_error>(target_) && ::isatty(STDERR_FILENO) == 1;
    return {};
}

result<> log_sink::reopen() {
    const std::lock_guard guard(lock_);
    if (!std::holds_alternative<std::unique_ptr<log_file>>(target_)) return {};
    auto opened = log_file::open(file_options_);
    if (!opened) { // The file before may have no name any more.
        const auto now = net::wall_now();
        standard_error_.write(log_line(prefix_, log_level::error, now, opened.error().detail()),
                              prefix_, now);
        return opened.error();
    }
    target_ = std::make_unique<log_file>(std::move(*opened));
    return {};
}

void log_sink::write(log_level level, std::string_view text) {
    const auto now = net::wall_now();
    const std::lock_guard guard(lock_);
    if (embedder_) return embedder_(level, text);
    if (auto* system_log = std::get_if<std::unique_ptr<syslog>>(&target_)) {
        return (*system_log)->send(level, text, now);
    }
    const auto line = log_line(prefix_, level, now, text);
    if (auto* file = std::get_if<std::unique_ptr<log_file>>(&target_)) {
        (*file)->append(line, prefix_, now);
        return tell_of_losses(**file, now);
    }
    standard_error_.write(line, prefix_, now);
}

void log_sink::tell_of_losses(const log_file& file, wall_time now) {
    if (!file.is_losing()) return;
    const auto at = net::steady_now();
    if (at < tells_again_at_) return;
    tells_again_at_ = at + limits::log_failure_interval;
    standard_error_.write(log_line(prefix_, log_level::error, now, file.failure()), prefix_, now);
}

logger make_logger(std::shared_ptr<log_sink> sink, const server_options& options) {
    return logger([sink = std::move(sink)](log_level level,
                                           std::string_view text) { sink->write(level, text); },
                  options.debug, options.trace);
}

} // namespace pipit::server
