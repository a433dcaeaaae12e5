// SPDX-License-Identifier: Apache-2.0
#include <pipit/net/read_file.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/net/socket_handle.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace pipit::net {
namespace {

error unreadable(const char* action, const std::string& path) {
    const int number = errno;
    return {error_code(number, boost::system::system_category()),
            std::string(action) + " " + path + ": " + system_reason(number)};
}

} // namespace

result<std::string> read_file(const std::string& path, std::size_t bytes_max,
                              nanoseconds patience) {
    // Otherwise a FIFO would be waited for until somebody opens it to write.
    const socket_handle file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!file) return unreadable("open", path);
    auto give_up_at = steady_now() + patience;
    std::string text;
    char buffer[16384];
    while (text.size() <= bytes_max) {
        const auto left = std::max(give_up_at - steady_now(), nanoseconds(0));
        pollfd wanted{.fd = file.get(), .events = POLLIN, .revents = 0};
        const int ready =
            ::poll(&wanted, 1,
                   static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count()));
        if (ready == 0) {
            return error(make_error_code(boost::system::errc::timed_out),
                         "read " + path + ": nobody has written all of it");
        }
        const auto count = ready > 0 ? ::read(file.get(), buffer, sizeof buffer) : -1;
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (count < 0) return unreadable("read", path);
        if (count == 0) break;
        text.append(buffer, static_cast<std::size_t>(count));
        give_up_at = steady_now() + patience;
    }
    return text;
}

} // namespace pipit::net
