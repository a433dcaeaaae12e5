// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/clock.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/host_port.hpp>
#include <pipit/server/log_limits.hpp>
#include <pipit/server/syslog.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <netdb.h>
#include <optional>
#include <poll.h>
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
    const auto separator = url.find("://");
    const auto scheme = url.empty() ? "unix" : url.substr(0, separator);
    const auto name = url.empty()                           ? local_socket
                      : separator == std::string_view::npos ? ""
                                                            : url.substr(separator + 3);
    if (scheme != "udp" && scheme != "tcp" && scheme != "unix") {
        return error(errc::invalid_configuration,
                     "error invalid network type: \"" + std::string(scheme) + "\"");
    }
    auto places = scheme == "unix"
                      ? places_of_path(name)
                      : places_of_host(name, scheme == "tcp" ? SOCK_STREAM : SOCK_DGRAM);
    if (!places) return places.error();
    syslog made(std::move(tag));
    made.is_remote_ = !url.empty();
    made.places_ = std::move(*places);
    if (const auto connected = made.connect_first(name); !connected) return connected.error();
    return made;
}

syslog::syslog(syslog&& other) noexcept
    : places_(std::move(other.places_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      is_remote_(other.is_remote_),
      is_stream_(other.is_stream_),
      tag_(std::move(other.tag_)),
      rest_(std::move(other.rest_)),
      lost_(other.lost_),
      connects_again_at_(other.connects_again_at_) {}

syslog::~syslog() { close(); }

void syslog::close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    if (!rest_.empty()) ++lost_;
    rest_.clear();
}

// --- Connecting ---

result<std::vector<syslog::place>> syslog::places_of_path(std::string_view path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return failure(path, ENAMETOOLONG);
    path.copy(address.sun_path, path.size());
    place made{.type = SOCK_DGRAM, .size = sizeof(address)};
    std::memcpy(&made.address, &address, sizeof(address));
    auto stream = made;
    stream.type = SOCK_STREAM;
    return std::vector{made, stream};
}

result<std::vector<syslog::place>> syslog::places_of_host(std::string_view name, int type) {
    const auto split = split_host_port(name);
    if (!split) {
        return error(errc::invalid_configuration,
                     "remote_syslog wants host:port, not \"" + std::string(name) + "\"");
    }
    addrinfo hints{};
    hints.ai_socktype = type;
    addrinfo* found = nullptr;
    const int refusal = ::getaddrinfo(split->host.c_str(), split->port.c_str(), &hints, &found);
    if (refusal != 0) {
        return error(error_code(EADDRNOTAVAIL, boost::system::system_category()),
                     "error connecting to syslog: " + std::string(name) + ": " +
                         (refusal == EAI_SYSTEM ? system_reason(errno) : ::gai_strerror(refusal)));
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
    std::vector<place> all;
    for (const auto* each = found; each != nullptr && all.size() < limits::syslog_addresses;
         each = each->ai_next) {
        auto& made = all.emplace_back(place{.type = type, .size = each->ai_addrlen});
        std::memcpy(&made.address, each->ai_addr, each->ai_addrlen);
    }
    return all;
}

int syslog::begin_connection(const place& to) {
    close();
    descriptor_ = ::socket(to.address.ss_family, to.type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor_ < 0) return errno;
    is_stream_ = to.type == SOCK_STREAM;
    const auto* const address = reinterpret_cast<const sockaddr*>(&to.address);
    return ::connect(descriptor_, address, to.size) == 0 ? 0 : errno;
}

/// At the start it is said at once when there is nobody.
result<> syslog::connect_first(std::string_view name) {
    int why = 0;
    for (std::size_t i = 0; i < places_.size(); ++i) {
        if (i > 0) std::rotate(places_.begin(), places_.begin() + 1, places_.end());
        why = begin_connection(places_.front());
        if (why == EINPROGRESS) {
            const std::chrono::milliseconds all = limits::syslog_connect_timeout;
            const auto most = all / places_.size();
            pollfd wanted{.fd = descriptor_, .events = POLLOUT, .revents = 0};
            const bool is_decided = ::poll(&wanted, 1, static_cast<int>(most.count())) > 0;
            socklen_t size = sizeof(why);
            ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &why, &size);
            if (!is_decided) why = ETIMEDOUT;
        }
        if (why == 0) return {};
    }
    close();
    return failure(name, why);
}

/// Not more often than now and then, and without waiting: what is sent meanwhile is lost.
void syslog::connect_again() {
    const auto now = net::steady_now();
    if (now < connects_again_at_) return;
    connects_again_at_ = now + limits::syslog_reconnect_interval;
    for (std::size_t i = 0; i < places_.size(); ++i) {
        // Whether there is somebody may have turned out only after the last try.
        std::rotate(places_.begin(), places_.begin() + 1, places_.end());
        const int why = begin_connection(places_.front());
        if (why == 0 || why == EINPROGRESS) return;
    }
    close();
}

// --- Sending ---

/// How much is taken now. Nothing: there is nobody any more.
std::optional<std::size_t> syslog::send_some(std::string_view text) {
    const auto send_now = [&] {
        return ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    };
    const bool is_udp = !is_stream_ && places_.front().address.ss_family != AF_UNIX;
    auto count = send_now();
    // UDP tells so of what was sent before, and has not sent this.
    if (count < 0 && errno == ECONNREFUSED && is_udp) count = send_now();
    if (count >= 0) return static_cast<std::size_t>(count);
    switch (errno) {
    case EAGAIN:
    case EINTR:
    case ENOBUFS:
    case EMSGSIZE: return 0;
    case ECONNREFUSED:
        if (is_udp) return 0;
        return std::nullopt;
    default: return std::nullopt;
    }
}

/// False: it is lost. Of what a stream has begun to take, it takes the end, too, as long as it
/// lives.
bool syslog::send_whole(std::string_view message) {
    if (descriptor_ < 0) return false;
    if (!rest_.empty()) { // Only behind its end may another one begin.
        const auto taken = send_some(rest_);
        if (!taken) {
            close();
            return false;
        }
        rest_.erase(0, *taken);
        if (!rest_.empty()) return false;
    }
    const auto taken = send_some(message);
    if (!taken) close();
    if (!taken || *taken == 0) return false;
    if (is_stream_) rest_ = message.substr(*taken);
    return true;
}

bool syslog::deliver(log_level level, std::string_view text, wall_time now) {
    const auto facility = is_remote_ ? kernel_facility : daemon_facility;
    auto message = "<" + std::to_string(facility | severity_of(level)) + ">";
    message += is_remote_ ? time_stamp("%Y-%m-%dT%H:%M:%SZ ", now) + host_name()
                          : time_stamp("%b %e %H:%M:%S", now);
    message.append(" ").append(tag_).append("[").append(std::to_string(::getpid()));
    message.append("]: ").append(text);
    if (is_stream_) message += '\n';
    if (send_whole(message)) return true;
    if (descriptor_ >= 0) return false;
    connect_again();
    return send_whole(message);
}

void syslog::send(log_level level, std::string_view text, wall_time now) {
    if (!deliver(level, text, now)) {
        ++lost_;
        return;
    }
    if (lost_ == 0) return;
    // Behind the line, as one that takes few would get nothing but this.
    const auto lines = std::to_string(lost_) + (lost_ == 1 ? " line" : " lines");
    if (deliver(log_level::warning, "Lost " + lines + " of the log: nobody took them", now)) {
        lost_ = 0;
    }
}

} // namespace pipit::server
