// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>

#include <string>
#include <string_view>

namespace pipit::server {

/// The system's log, on this machine or another.
///
/// Threads: one at a time.
class syslog {
public:
    /// `url` is `udp://host:514`, `tcp://host:514` or `unix:///path`; empty: this machine's own.
    /// `tag` is the program's name.
    /// Errors: `errc::invalid_configuration`; the system's.
    [[nodiscard]] static result<syslog> open(std::string_view url, std::string tag);
    ~syslog();
    syslog(syslog&& other) noexcept;
    syslog& operator=(syslog&&) = delete;

    void send(log_level level, std::string_view text, wall_time now);

private:
    syslog(int descriptor, bool is_remote, bool is_stream, std::string tag) noexcept;

    int descriptor_;
    bool is_remote_;
    bool is_stream_;
    std::string tag_;
};

} // namespace pipit::server
