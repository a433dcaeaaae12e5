// SPDX-License-Identifier: Apache-2.0
#include <pipit/base/error.hpp>
#include <pipit/net/clock.hpp>
#include <pipit/server/line_writer.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace pipit::server {

line_writer::line_writer(int descriptor, nanoseconds patience)
    : descriptor_(descriptor), patience_max_(patience), patience_(patience) {
    struct stat facts {};
    is_socket_ = ::fstat(descriptor, &facts) == 0 && S_ISSOCK(facts.st_mode);
}

line_writer line_writer::for_standard_error() {
    struct stat facts {};
    const bool may_block =
        ::fstat(STDERR_FILENO, &facts) == 0 && (S_ISFIFO(facts.st_mode) || S_ISCHR(facts.st_mode));
    const int own = may_block ? ::open("/proc/self/fd/2",
                                       O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                              : -1;
    line_writer made(own >= 0 ? own : STDERR_FILENO);
    made.is_owned_ = own >= 0;
    return made;
}

line_writer::line_writer(line_writer&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      is_owned_(other.is_owned_),
      is_socket_(other.is_socket_),
      is_cut_(other.is_cut_),
      reason_(other.reason_),
      lost_(other.lost_),
      patience_max_(other.patience_max_),
      patience_(other.patience_),
      regained_(other.regained_) {}

line_writer::~line_writer() { close(); }

void line_writer::close() {
    if (descriptor_ >= 0 && is_owned_) ::close(descriptor_);
}

void line_writer::go_on_with(int descriptor) {
    close();
    descriptor_ = descriptor;
    is_cut_ = false;
}

std::size_t line_writer::write(std::string_view line, const log_prefix& prefix, wall_time now) {
    regain_patience();
    std::string both;
    if (is_losing()) {
        // Together, as there may be room for the shorter one alone again and again.
        const auto lines = std::to_string(lost_) + (lost_ == 1 ? " line" : " lines");
        both = is_cut_ ? "\n" : "";
        both +=
            log_line(prefix, log_level::warning, now, "Lost " + lines + " of the log: " + why());
        line = both += line;
    }
    const auto taken = take(line, !is_losing());
    if (taken == line.size()) {
        lost_ = 0;
        is_cut_ = false;
    } else {
        ++lost_;
        is_cut_ = is_cut_ || taken > 0;
    }
    return taken;
}

std::size_t line_writer::take(std::string_view text, bool waits) {
    std::size_t taken = 0;
    // One call as a rule, so that lines of several processes do not mix.
    while (taken < text.size()) {
        const auto* const rest = text.data() + taken;
        const auto size = text.size() - taken;
        const auto count = is_socket_ ? ::send(descriptor_, rest, size, MSG_NOSIGNAL | MSG_DONTWAIT)
                                      : ::write(descriptor_, rest, size);
        if (count > 0) {
            taken += static_cast<std::size_t>(count);
        } else if (count == 0 || errno != EINTR) {
            reason_ = count == 0 ? ENOSPC : errno;
            const bool is_full = reason_ == EAGAIN || reason_ == EWOULDBLOCK;
            if (!is_full || !waits || !wait_for_room()) break;
        }
    }
    return taken;
}

/// A reader that is only slow loses nothing; one that sleeps does not hold up the server for long.
bool line_writer::wait_for_room() {
    const auto begun = net::steady_now();
    const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(patience_).count();
    pollfd wanted{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    const bool has_room = most > 0 && ::poll(&wanted, 1, static_cast<int>(most)) > 0;
    patience_ = std::max(patience_ - (net::steady_now() - begun), nanoseconds(0));
    return has_room;
}

void line_writer::regain_patience() {
    if (patience_ == patience_max_) return;
    const auto now = net::steady_now();
    if (regained_ != steady_time{}) {
        patience_ = std::min(patience_max_,
                             patience_ + (now - regained_) / limits::log_patience_regained_in);
    }
    regained_ = patience_ == patience_max_ ? steady_time{} : now;
}

std::string line_writer::why() const {
    if (reason_ == EAGAIN || reason_ == EWOULDBLOCK) return "nobody reads it";
    return system_reason(reason_);
}

} // namespace pipit::server
