// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/url_resolver.hpp>

#include <pipit/base/identity_limits.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/protocol/go_text.hpp>
#include <pipit/server/error.hpp>
#include <pipit/server/host_port.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <optional>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace pipit::server {
namespace {

constexpr std::size_t response_bytes_max = limits::jwt_bytes + 64 * 1024;

/// `http://me:secret@host:80/path` in its parts.
struct url_parts {
    std::string host;
    std::string port = "80";
    std::string path;
};

std::optional<url_parts> split(std::string_view url) {
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) return std::nullopt;
    url.remove_prefix(scheme.size());
    const auto slash = url.find('/');
    auto authority = url.substr(0, slash);
    url_parts parts;
    parts.path = slash == std::string_view::npos ? "/" : std::string(url.substr(slash));
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        authority.remove_prefix(at + 1);
    }
    const auto colon = authority.rfind(':');
    if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
        parts.port = std::string(authority.substr(colon + 1));
        authority = authority.substr(0, colon);
    }
    if (authority.starts_with('[') && authority.ends_with(']')) {
        authority = authority.substr(1, authority.size() - 2);
    }
    parts.host = std::string(authority);
    if (parts.host.empty() || parts.path.find_first_of(" \r\n") != std::string::npos) {
        return std::nullopt;
    }
    return parts;
}

/// Without user and password.
std::string shown(const std::string& url) {
    const auto begin = url.find("://");
    const auto end = url.find('/', begin == std::string::npos ? 0 : begin + 3);
    const auto at = url.rfind('@', end);
    if (begin == std::string::npos || at == std::string::npos || at < begin) return url;
    return url.substr(0, begin + 3) + "xxxxx@" + url.substr(at + 1);
}

/// One connection, until a deadline. What fails says why in `why`.
class http_connection {
public:
    explicit http_connection(steady_time deadline) : deadline_(deadline) {}
    ~http_connection() {
        if (socket_ >= 0) ::close(socket_);
    }
    http_connection(const http_connection&) = delete;
    http_connection& operator=(const http_connection&) = delete;

    bool connect(const url_parts& to) {
        addrinfo wanted{};
        wanted.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        const int failed = ::getaddrinfo(to.host.c_str(), to.port.c_str(), &wanted, &found);
        if (failed != 0) return fail(::gai_strerror(failed));
        const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
        for (const auto* each = found; each != nullptr; each = each->ai_next) {
            if (connect(*each)) return true;
        }
        return false;
    }
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent > 0) {
                bytes.remove_prefix(static_cast<std::size_t>(sent));
            } else if (errno != EAGAIN) {
                return fail(std::strerror(errno));
            } else if (!wait(POLLOUT)) {
                return false;
            }
        }
        return true;
    }
    /// Everything until the other side closes.
    bool receive(std::string& all) {
        char buffer[16 * 1024];
        for (;;) {
            const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
            if (got == 0) return true;
            if (got > 0) {
                all.append(buffer, static_cast<std::size_t>(got));
                if (all.size() > response_bytes_max) return fail("the answer is too long");
            } else if (errno != EAGAIN) {
                return fail(std::strerror(errno));
            } else if (!wait(POLLIN)) {
                return false;
            }
        }
    }
    std::string why;

private:
    bool fail(const char* reason) {
        why = reason;
        return false;
    }
    bool connect(const addrinfo& to) {
        if (socket_ >= 0) ::close(socket_);
        socket_ = ::socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (socket_ < 0) return fail(std::strerror(errno));
        if (::connect(socket_, to.ai_addr, to.ai_addrlen) == 0) return true;
        if (errno != EINPROGRESS) return fail(std::strerror(errno));
        if (!wait(POLLOUT)) return false;
        int failed = 0;
        socklen_t size = sizeof failed;
        ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &failed, &size);
        return failed == 0 || fail(std::strerror(failed));
    }
    bool wait(short what) {
        using std::chrono::milliseconds;
        const auto left = std::chrono::ceil<milliseconds>(deadline_ - net::steady_now());
        pollfd one{socket_, what, 0};
        const int ready = left.count() <= 0 ? 0 : ::poll(&one, 1, static_cast<int>(left.count()));
        return ready > 0 || fail("timeout");
    }

    steady_time deadline_;
    int socket_ = -1;
};

/// The body of a response with the status 200.
result<std::string> body_of(const std::string& url, const std::string& response) {
    const auto line = response.substr(0, response.find("\r\n"));
    const auto status = line.size() > 9 ? line.substr(9) : line;
    const auto end = response.find("\r\n\r\n");
    if (!line.starts_with("HTTP/1.") || !status.starts_with("200") || end == std::string::npos) {
        return error(errc::no_account,
                     "could not fetch <" + protocol::quoted(shown(url)) + ">: " + status);
    }
    return response.substr(end + 4);
}

} // namespace

result<std::string> get_over_http(const std::string& url, nanoseconds timeout) {
    const auto failed = [&](const std::string& why) {
        return error(errc::no_account,
                     "could not fetch <" + protocol::quoted(shown(url)) + ">: " + why);
    };
    const auto parts = split(url);
    if (!parts) return failed("it is no URL that begins with http://");
    http_connection connection(net::steady_now() + timeout);
    // Version 1.0 asks for one answer that ends with the connection.
    const auto request = "GET " + parts->path + " HTTP/1.0\r\nHost: " +
                         join_host_port(parts->host, std::atoi(parts->port.c_str())) +
                         "\r\nAccept: */*\r\n\r\n";
    std::string response;
    if (!connection.connect(*parts) || !connection.send(request) || !connection.receive(response)) {
        return failed(connection.why);
    }
    return body_of(url, response);
}

url_resolver::~url_resolver() { stop(); }

void url_resolver::stop() {
    for (auto& each : threads_) each.stop();
}

void url_resolver::fetch(const std::string& account, answer then) {
    threads_[next_++ % threads_.size()].post([url = url_ + account, then = std::move(then)] {
        then(get_over_http(url, limits::account_fetch_timeout));
    });
}

result<> url_resolver::store(const std::string&, const std::string&) { return {}; }

} // namespace pipit::server
