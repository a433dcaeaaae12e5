// SPDX-License-Identifier: Apache-2.0
#include <commands/subprocess.hpp>

#include <commands/end_signals.hpp>

#include <pipit/net/socket_handle.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

extern char** environ;

namespace pipit::cli {
namespace {

using net::socket_handle;

struct pipe_pair {
    socket_handle read, write;
};

/// Without ends when there are no descriptors left; errno says so.
pipe_pair make_pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
    return {socket_handle(ends[0]), socket_handle(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> all;
    for (auto& word : words) all.push_back(word.data());
    all.push_back(nullptr);
    return all;
}

std::vector<std::string>
environment_with(const std::vector<std::pair<std::string, std::string>>& more) {
    std::vector<std::string> all;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view entry = *each;
        const auto name = entry.substr(0, entry.find('='));
        const bool replaced = std::any_of(more.begin(), more.end(),
                                          [&](const auto& one) { return one.first == name; });
        if (!replaced) all.emplace_back(entry);
    }
    for (const auto& [name, value] : more) all.push_back(name + "=" + value);
    return all;
}

/// The first signal that asks for the end leaves the program the time to come to its own.
bool has_to_end() noexcept { return end_signals::count() > 1; }

/// Process groups of `run_command_beside`; 0: a free place.
std::array<::pid_t, commands_at_once_max> groups{};

void note_group(::pid_t before, ::pid_t after) noexcept {
    const auto place = std::find(groups.begin(), groups.end(), before);
    if (place != groups.end()) *place = after;
}

/// A program that was started, and the pipes to it.
class started_program {
public:
    enum class place { our_group, group_of_its_own };

    [[nodiscard]] static result<started_program> start(const subprocess& command, place where);

    started_program(started_program&& other) noexcept
        : input(std::move(other.input)),
          output(std::move(other.output)),
          errors(std::move(other.errors)),
          child_(std::exchange(other.child_, 0)),
          has_group_(other.has_group_) {}
    started_program& operator=(started_program&&) = delete;
    /// Whoever has not come to its end is killed.
    ~started_program() {
        if (child_ == 0) return;
        // Another user's, as after `sudo`, may take any time.
        (void)wait(kill() ? 0 : WNOHANG);
    }

    /// Whoever still writes into one is told so by a signal.
    void close_pipes() noexcept {
        for (auto* each : {&input, &output, &errors}) *each = {};
    }
    /// Answers whether it ends by that; a program that has ended still names its group.
    bool kill() const noexcept {
        if (has_group_) ::kill(-child_, SIGKILL);
        return ::kill(child_, SIGKILL) == 0 || errno == ESRCH;
    }

    /// Its exit code; nothing while it runs (WNOHANG) or a signal came.
    [[nodiscard]] std::optional<int> wait(int options) noexcept {
        int status = 0;
        const auto found = ::waitpid(child_, &status, options);
        const bool is_unknown = found < 0 && errno == ECHILD; // Whoever started us ignores SIGCHLD.
        if (found != child_ && !is_unknown) return std::nullopt;
        if (has_group_) note_group(child_, 0);
        child_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    socket_handle input, output, errors;

private:
    started_program(::pid_t child, bool has_group) : child_(child), has_group_(has_group) {
        if (has_group_) note_group(0, child_);
    }

    ::pid_t child_ = 0;
    bool has_group_ = false;
};

result<started_program> started_program::start(const subprocess& command, place where) {
    auto words = command.words;
    if (words.empty())
        return error(error_code(ENOENT, boost::system::system_category()), "no program");
    auto variables = environment_with(command.variables);
    auto input = make_pipe(), output = make_pipe(), errors = make_pipe();
    if (!input.read || !output.read || !errors.read)
        return error(error_code(errno, boost::system::system_category()), "pipe");
    posix_spawn_file_actions_t actions{};
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input.read.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output.write.get(), STDOUT_FILENO);
    const auto& errors_to = command.joins_errors ? output.write : errors.write;
    ::posix_spawn_file_actions_adddup2(&actions, errors_to.get(), STDERR_FILENO);
    // We ignore SIGPIPE; a program that is run does not expect to.
    posix_spawnattr_t attributes{};
    ::posix_spawnattr_init(&attributes);
    sigset_t usual;
    ::sigemptyset(&usual);
    ::sigaddset(&usual, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes, &usual);
    const bool has_group = where == place::group_of_its_own;
    const int flags = POSIX_SPAWN_SETSIGDEF | (has_group ? POSIX_SPAWN_SETPGROUP : 0);
    ::posix_spawnattr_setflags(&attributes, static_cast<short>(flags));
    ::pid_t child = 0;
    const int failed = ::posix_spawnp(&child, words[0].c_str(), &actions, &attributes,
                                      pointers(words).data(), pointers(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (failed != 0) return error(error_code(failed, boost::system::system_category()), words[0]);
    started_program program(child, has_group);
    for (const auto* each : {&input.write, &output.read, &errors.read})
        ::fcntl(each->get(), F_SETFL, O_NONBLOCK);
    program.output = std::move(output.read);
    program.errors = std::move(errors.read);
    if (!command.input.empty()) program.input = std::move(input.write);
    return program;
}

/// Bytes both ways between us and a program.
class conversation {
public:
    conversation(started_program& with, const subprocess& command, subprocess_end& end)
        : with_(with), to_(command.input), bytes_max_(command.output_bytes_max), end_(end) {}

    /// The program has closed its ends.
    [[nodiscard]] bool is_over() const { return !with_.output && !with_.errors; }

    /// Moves what can be moved, and waits up to `longest_ms` for that.
    void move(int longest_ms) {
        std::array<pollfd, 3> waits{{{with_.input.get(), POLLOUT, 0},
                                     {with_.output.get(), POLLIN, 0},
                                     {with_.errors.get(), POLLIN, 0}}};
        if (::poll(waits.data(), waits.size(), longest_ms) <= 0) return;
        if (waits[0].revents != 0) give();
        if (waits[1].revents != 0) take(with_.output, end_.output);
        if (waits[2].revents != 0) take(with_.errors, end_.errors);
    }

private:
    void give() {
        const auto sent = ::write(with_.input.get(), to_.data(), to_.size());
        if (sent > 0) to_.remove_prefix(static_cast<std::size_t>(sent));
        if ((sent < 0 && errno != EAGAIN && errno != EINTR) || to_.empty()) with_.input = {};
    }

    void take(socket_handle& from, std::string& into) {
        std::array<char, 65536> part{};
        const auto size = ::read(from.get(), part.data(), part.size());
        if (size > 0) into.append(part.data(), static_cast<std::size_t>(size));
        const bool is_too_much = into.size() > bytes_max_;
        if (is_too_much) end_.how = subprocess_end::kind::wrote_too_much;
        const bool ended = size == 0 || (size < 0 && errno != EINTR && errno != EAGAIN);
        if (ended || is_too_much) from = {};
    }

    started_program& with_;
    std::string_view to_;
    std::size_t bytes_max_;
    subprocess_end& end_;
};

/// Tells an executor when one of a program's pipes can be used: an epoll of its own.
result<socket_handle> waiter_for(const started_program& program) {
    socket_handle waiter(::epoll_create1(EPOLL_CLOEXEC));
    const auto add = [&](const socket_handle& pipe, std::uint32_t events) {
        epoll_event wanted{};
        wanted.events = events;
        return !pipe || ::epoll_ctl(waiter.get(), EPOLL_CTL_ADD, pipe.get(), &wanted) == 0;
    };
    if (waiter && add(program.input, EPOLLOUT) && add(program.output, EPOLLIN) &&
        add(program.errors, EPOLLIN)) {
        return waiter;
    }
    return error(error_code(errno, boost::system::system_category()), "epoll");
}

/// What ends the wait for a program; its timer may fire when the coroutine has gone.
struct program_waits {
    explicit program_waits(const asio::any_io_executor& executor)
        : limit(executor), ended(executor, SIGCHLD), readiness(executor) {}

    void begin(nanoseconds longest, const std::shared_ptr<program_waits>& self) {
        if (longest <= nanoseconds::zero()) return;
        limit.expires_after(longest);
        limit.async_wait([self](const error_code& cancelled) {
            if (cancelled) return;
            self->took_too_long = true;
            self->readiness.cancel();
            self->ended.cancel();
        });
    }

    asio::steady_timer limit;
    asio::signal_set ended; ///< Made before the program starts, so that its end is not missed.
    asio::posix::stream_descriptor readiness;
    bool took_too_long = false;
};

} // namespace

void kill_commands() noexcept {
    for (const auto group : groups) {
        if (group != 0) ::kill(-group, SIGKILL);
    }
}

result<subprocess_end> run_command(const subprocess& command) {
    auto program = started_program::start(command, started_program::place::our_group);
    if (!program) return program.error();
    subprocess_end end;
    conversation bytes(*program, command, end);
    constexpr int longest_ms = 1000; // A signal may have come just before.
    // What the program has started itself may hold the pipes longer.
    while (!bytes.is_over() && !has_to_end()) bytes.move(longest_ms);
    program->close_pipes();
    for (;;) {
        if (has_to_end()) program->kill();
        if (const auto code = program->wait(0)) {
            end.exit_code = *code;
            return end;
        }
    }
}

asio::awaitable<result<subprocess_end>> run_command_beside(subprocess command,
                                                           nanoseconds longest) {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    const auto executor = co_await asio::this_coro::executor;
    const auto waits = std::make_shared<program_waits>(executor);
    auto program = started_program::start(command, started_program::place::group_of_its_own);
    if (!program) co_return program.error();
    auto waiter = waiter_for(*program);
    if (!waiter) co_return waiter.error();
    waits->readiness.assign(waiter->release());
    waits->begin(longest, waits);
    subprocess_end end;
    conversation bytes(*program, command, end);
    const auto goes_on = [&] {
        return end.how == subprocess_end::kind::came_to_its_end && !waits->took_too_long;
    };
    while (!bytes.is_over() && goes_on()) {
        constexpr auto readable = asio::posix::stream_descriptor::wait_read;
        (void)co_await waits->readiness.async_wait(readable, token);
        bytes.move(0);
    }
    program->close_pipes();
    // Not when what it has started goes on too long: until one waits for it, its group can be
    // killed.
    std::optional<int> code;
    while (goes_on()) {
        code = program->wait(WNOHANG);
        if (code) break;
        (void)co_await waits->ended.async_wait(token);
    }
    waits->limit.cancel();
    if (code) end.exit_code = *code;
    if (!code && waits->took_too_long) end.how = subprocess_end::kind::took_too_long;
    co_return end; // Who has not come to an end is killed here, and so is the group.
}

} // namespace pipit::cli
