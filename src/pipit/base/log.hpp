// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

namespace pipit {

/// In the order of nats-server's labels INF, WRN, ERR, FTL, DBG, TRC.
enum class log_level { info, warning, error, fatal, debug, trace };

/// Where a library's log lines go. `main` decides; libraries never write to a file descriptor.
///
/// Threads: the sink is called from every thread that logs and must be safe for that.
class logger {
public:
    using sink = std::function<void(log_level, std::string_view line)>;

    logger() = default;
    explicit logger(sink write_line, bool debug = false, bool trace = false)
        : sink_(std::move(write_line)), debug_(debug), trace_(trace) {}

    /// Ask before building a line that costs something.
    [[nodiscard]] bool debug_enabled() const noexcept { return debug_; }

    void info(std::string_view line) const { write(log_level::info, line); }
    void warning(std::string_view line) const { write(log_level::warning, line); }
    void error(std::string_view line) const { write(log_level::error, line); }
    void fatal(std::string_view line) const { write(log_level::fatal, line); }
    void debug(std::string_view line) const {
        if (debug_) write(log_level::debug, line);
    }
    void trace(std::string_view line) const {
        if (trace_) write(log_level::trace, line);
    }

private:
    void write(log_level level, std::string_view line) const;

    sink sink_;
    bool debug_ = false;
    bool trace_ = false;
};

} // namespace pipit
