// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/log.hpp>
#include <pipit/base/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace pipit::server {

/// The system's log, on this machine or another. One that goes away is found again when it comes
/// back; until then lines are lost, and counted, and behind the first that is taken again it says
/// how many. What UDP loses on its way nobody can count.
///
/// Threads: one at a time.
class syslog {
public:
    /// `url` is `udp://host:514`, `tcp://host:514` or `unix:///path`; empty: this machine's own.
    /// A name is looked up now and never again: that may take long, and `send` never waits.
    /// `tag` is the program's name.
    /// Errors: `errc::invalid_configuration`; the system's.
    [[nodiscard]] static result<syslog> open(std::string_view url, std::string tag);
    ~syslog();
    syslog(syslog&& other) noexcept;
    syslog& operator=(syslog&&) = delete;

    /// Never waits.
    void send(log_level level, std::string_view text, wall_time now);

private:
    /// An address to connect to, and how.
    struct place {
        int type = 0;
        sockaddr_storage address{};
        socklen_t size = 0;
    };

    explicit syslog(std::string tag) noexcept : tag_(std::move(tag)) {}
    static result<std::vector<place>> places_of_path(std::string_view path);
    static result<std::vector<place>> places_of_host(std::string_view name, int type);
    [[nodiscard]] result<> connect_first(std::string_view name);
    /// Returns 0, or the system's number; `EINPROGRESS`: it is not there yet.
    int begin_connection(const place& to);
    void connect_again();
    [[nodiscard]] bool deliver(log_level level, std::string_view text, wall_time now);
    [[nodiscard]] std::optional<std::size_t> send_some(std::string_view text);
    [[nodiscard]] bool send_whole(std::string_view message);
    void close();

    std::vector<place> places_; ///< The first was tried last; it is in use when one is.
    int descriptor_ = -1;
    bool is_remote_ = false;
    bool is_stream_ = false; ///< What is used now.
    std::string tag_;
    std::string rest_; ///< Of a message that a stream has taken the beginning of.
    std::uint64_t lost_ = 0;
    steady_time connects_again_at_{};
};

} // namespace pipit::server
