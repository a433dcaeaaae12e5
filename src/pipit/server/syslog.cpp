// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/error.hpp>
#include <pipit/server/host_port.hpp>
#include <pipit/server/syslog.hpp>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace pipit::server {
namespace {

constexpr std::string_view local_socket = "/dev/log";
constexpr int daemon_facility = 3 << 3;
constexpr int kernel_facility = 0; // What nats-server sends to another machine.

int severity_of(log_level level) noexcept {
    switch (level) {
    case log_level::fatal: return 2;
    case log_level::error: return 3;
    case log_level::warning: return 4;
    case log_level::info:
    case log_level::trace: return 5;
    case log_level::debug: return 7;
    }
    return 5;
}

error failure(std::string_view place, int number) {
    return {error_code(number, boost::system::system_category()),
            "error connecting to syslog: " + std::string(place) + ": " + system_reason(number)};
}

result<int> connect_to_path(std::string_view path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return failure(path, ENAMETOOLONG);
    path.copy(address.sun_path, path.size());
    for (const auto type : {SOCK_DGRAM, SOCK_STREAM}) {
        const auto descriptor = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        if (descriptor < 0) return failure(path, errno);
        if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
            0) {
            return descriptor;
        }
        ::close(descriptor);
    }
    return failure(path, errno);
}

result<int> connect_to_host(std::string_view place, int type) {
    const auto address = split_host_port(place);
    if (!address) {
        return error(errc::invalid_configuration,
                     "remote_syslog wants host:port, not \"" + std::string(place) + "\"");
    }
    addrinfo hints{};
    hints.ai_socktype = type;
    addrinfo* found = nullptr;
    if (::getaddrinfo(address->host.c_str(), address->port.c_str(), &hints, &found) != 0) {
        return failure(place, EADDRNOTAVAIL);
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
    const auto descriptor = ::socket(found->ai_family, type | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return failure(place, errno);
    if (::connect(descriptor, found->ai_addr, found->ai_addrlen) == 0) return descriptor;
    const auto number = errno;
    ::close(descriptor);
    return failure(place, number);
}

std::string time_stamp(const char* format, wall_time now) {
    const auto count = std::chrono::system_clock::to_time_t(
        std::chrono::time_point_cast<std::chrono::system_clock::duration>(now));
    std::tm parts{};
    ::gmtime_r(&count, &parts);
    char text[40];
    return {text, std::strftime(text, sizeof(text), format, &parts)};
}

std::string host_name() {
    char name[256] = "";
    ::gethostname(name, sizeof(name) - 1);
    return name;
}

} // namespace

result<syslog> syslog::open(std::string_view url, std::string tag) {
    if (url.empty()) {
        const auto descriptor = connect_to_path(local_socket);
        if (!descriptor) return descriptor.error();
        return syslog(*descriptor, false, false, std::move(tag));
    }
    const auto separator = url.find("://");
    const auto scheme = url.substr(0, separator);
    const auto place = separator == std::string_view::npos ? "" : url.substr(separator + 3);
    const auto is_stream = scheme == "tcp";
    if (scheme != "udp" && scheme != "tcp" && scheme != "unix") {
        return error(errc::invalid_configuration,
                     "error invalid network type: \"" + std::string(scheme) + "\"");
    }
    const auto descriptor = scheme == "unix"
                                ? connect_to_path(place)
                                : connect_to_host(place, is_stream ? SOCK_STREAM : SOCK_DGRAM);
    if (!descriptor) return descriptor.error();
    return syslog(*descriptor, true, is_stream, std::move(tag));
}

syslog::syslog(int descriptor, bool is_remote, bool is_stream, std::string tag) noexcept
    : descriptor_(descriptor), is_remote_(is_remote), is_stream_(is_stream), tag_(std::move(tag)) {}

syslog::syslog(syslog&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      is_remote_(other.is_remote_),
      is_stream_(other.is_stream_),
      tag_(std::move(other.tag_)) {}

syslog::~syslog() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void syslog::send(log_level level, std::string_view text, wall_time now) {
    const auto facility = is_remote_ ? kernel_facility : daemon_facility;
    auto message = "<" + std::to_string(facility | severity_of(level)) + ">";
    message += is_remote_ ? time_stamp("%Y-%m-%dT%H:%M:%SZ ", now) + host_name()
                          : time_stamp("%b %e %H:%M:%S", now);
    message.append(" ").append(tag_).append("[").append(std::to_string(::getpid()));
    message.append("]: ").append(text);
    if (is_stream_) message += '\n';
    // A log that takes nothing must not stop the server.
    (void)::send(descriptor_, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

} // namespace pipit::server
