// SPDX-License-Identifier: Apache-2.0
#include <commands/program.hpp>

#include <cli/message_text.hpp>
#include <commands/end_signals.hpp>

#include <pipit/net/clock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pipit::cli {
namespace {

constexpr std::size_t pending_output_max = std::size_t{256} * 1024;

std::tm local_time(wall_time when) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(when.time_since_epoch()).count();
    const auto time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    ::localtime_r(&time, &parts);
    return parts;
}

std::optional<std::string> variable(const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
}

/// Writes all of it; answers 0 or the `errno` of what went wrong.
int write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

/// Writes all of it to the standard output, and waits for whoever reads it. Once a signal has asked
/// for the end, and nothing is read for a second, it gives up; at the second signal at once: EINTR.
int write_output(std::string_view text) {
    constexpr int patience_ms = 1000;
    struct stat output {};
    const bool is_pipe = ::fstat(STDOUT_FILENO, &output) == 0 && S_ISFIFO(output.st_mode);
    while (!text.empty()) {
        pollfd writable{STDOUT_FILENO, POLLOUT, 0};
        const int ready = ::poll(&writable, 1, patience_ms);
        if (ready < 0 && errno != EINTR) return errno;
        if (ready <= 0) {
            if (end_signals::count() > (ready == 0 ? 0 : 1)) return EINTR;
            continue;
        }
        // So much fits into a pipe that is ready.
        const auto size = is_pipe ? std::min<std::size_t>(text.size(), PIPE_BUF) : text.size();
        const auto written = ::write(STDOUT_FILENO, text.data(), size);
        if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (written < 0) return errno;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

} // namespace

program::program()
    : output_is_terminal(::isatty(STDOUT_FILENO) == 1),
      errors_are_terminal(::isatty(STDERR_FILENO) == 1),
      variables(variable) {
    std::signal(SIGPIPE, SIG_IGN);
    no_colour = variable("NO_COLOR").value_or("") != "" || variable("TERM").value_or("") == "dumb";
}

graph_size program::terminal_size() const {
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? graph_size{size.ws_col, size.ws_row} : graph_size{80, 24};
}

void program::print(std::string_view text) {
    pending_ += text;
    if (pending_.size() >= pending_output_max) flush();
}

void program::flush() {
    const auto text = std::exchange(pending_, {});
    if (output_is_abandoned_) return;
    const auto failed = write_output(text);
    if (failed == EINTR) {
        output_is_abandoned_ = true;
        return;
    }
    if (failed == EPIPE) ::_exit(exit_code::done);
    if (failed != 0) ::_exit(fail("cannot write to the standard output: " + system_reason(failed)));
}

void program::print_table(const table& drawn) {
    if (!output_is_terminal) return print(tab_separated(drawn));
    // Names that others chose are in it.
    auto safe = drawn;
    for (auto& row : safe.rows) {
        for (auto& cell : row) cell = safe_for_terminal(cell);
    }
    print(aligned(safe));
}

void program::note(std::string_view text) const {
    const auto now = local_time(net::wall_now());
    const auto line = fmt::format("{:02}:{:02}:{:02} {}\n", now.tm_hour, now.tm_min, now.tm_sec,
                                  safe_for_terminal(text));
    (void)write_all(STDERR_FILENO, line);
}

void program::show_status(std::string_view text) const {
    (void)write_all(STDERR_FILENO, "\r\x1b[K" + std::string(text));
}

int program::fail(std::string_view what) const {
    const auto who = painted("pipit:", colour::red, errors_are_terminal && !no_colour);
    (void)write_all(STDERR_FILENO, who + " " + safe_for_terminal(what) + "\n");
    return exit_code::failed;
}

int program::fail_usage(std::string_view what) const {
    (void)fail(what);
    return exit_code::wrong_usage;
}

std::chrono::seconds local_utc_offset(wall_time when) {
    return std::chrono::seconds(local_time(when).tm_gmtoff);
}

error system_error(const std::string& about) {
    return {error_code(errno, boost::system::system_category()), about};
}

result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
    const bool is_input = path == "-";
    const int descriptor = is_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return system_error(path);
    std::string text;
    std::array<char, 65536> part{};
    error failed;
    for (;;) {
        const auto size = ::read(descriptor, part.data(), part.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) failed = system_error(path);
        if (size <= 0) break;
        text.append(part.data(), static_cast<std::size_t>(size));
        if (text.size() <= bytes_max) continue;
        const auto code = make_error_code(boost::system::errc::file_too_large);
        failed = error(code, path + " has more than " + size_text(static_cast<double>(bytes_max)));
        break;
    }
    if (!is_input) ::close(descriptor);
    if (failed.code()) return failed;
    return text;
}

result<> write_private_file(const std::string& path, std::string_view text) {
    const auto unfinished = path + ".new" + std::to_string(::getpid());
    const int descriptor =
        ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return system_error(path);
    errno = write_all(descriptor, text);
    const bool written = errno == 0 && ::fsync(descriptor) == 0;
    auto failed = written ? error() : system_error(path);
    ::close(descriptor);
    if (written && ::rename(unfinished.c_str(), path.c_str()) != 0) failed = system_error(path);
    if (failed.code()) {
        ::unlink(unfinished.c_str());
        return failed;
    }
    return {};
}

} // namespace pipit::cli
