// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/clock.hpp>
#include <pipit/server/log_sink.hpp>

#include <unistd.h>
#include <utility>

namespace pipit::server {

log_sink::log_sink(std::string program) : program_(std::move(program)) {
    prefix_.pid = static_cast<int>(::getpid());
}

log_sink::log_sink(logger::sink write_line) : embedder_(std::move(write_line)) {}

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
    if (!opened) return opened.error();
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
        return (*file)->append(line, prefix_, now);
    }
    // One call, so that lines of several processes do not mix. Nobody may be listening.
    (void)!::write(STDERR_FILENO, line.data(), line.size());
}

logger make_logger(std::shared_ptr<log_sink> sink, const server_options& options) {
    return logger([sink = std::move(sink)](log_level level,
                                           std::string_view text) { sink->write(level, text); },
                  options.debug, options.trace);
}

} // namespace pipit::server
