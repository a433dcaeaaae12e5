// SPDX-License-Identifier: Apache-2.0
#include <commands/subprocess.hpp>

#include <commands/end_signals.hpp>

#include <pipit/net/socket_handle.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace pipit::cli {
namespace {

using net::socket_handle;

constexpr std::size_t output_bytes_max = std::size_t{64} * 1024 * 1024;

struct pipe_pair {
    socket_handle read, write;
};

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

/// Moves bytes both ways until the program has closed its ends or has to end.
void converse(pipe_pair& input, pipe_pair& output, pipe_pair& errors, std::string_view to,
              subprocess_end& end) {
    ::fcntl(input.write.get(), F_SETFL, O_NONBLOCK);
    if (to.empty()) input.write = {};
    for (;;) {
        std::array<pollfd, 3> waits{{{input.write.get(), POLLOUT, 0},
                                     {output.read.get(), POLLIN, 0},
                                     {errors.read.get(), POLLIN, 0}}};
        if (waits[1].fd < 0 && waits[2].fd < 0) return;
        constexpr int longest_ms = 1000; // A signal may have come just before.
        const int ready = ::poll(waits.data(), waits.size(), longest_ms);
        if (ready < 0 && errno != EINTR) return;
        // What the program has started itself may hold the pipes longer.
        if (has_to_end()) return;
        if (ready <= 0) continue;
        if (waits[0].revents != 0) {
            const auto sent = ::write(input.write.get(), to.data(), to.size());
            if (sent > 0) to.remove_prefix(static_cast<std::size_t>(sent));
            if ((sent < 0 && errno != EAGAIN && errno != EINTR) || to.empty()) input.write = {};
        }
        const auto take = [](socket_handle& from, short happened, std::string& into) {
            if (happened == 0) return;
            std::array<char, 65536> part{};
            const auto size = ::read(from.get(), part.data(), part.size());
            if (size > 0) into.append(part.data(), static_cast<std::size_t>(size));
            const bool ended = size == 0 || (size < 0 && errno != EINTR && errno != EAGAIN);
            if (ended || into.size() > output_bytes_max) from = {};
        };
        take(output.read, waits[1].revents, end.output);
        take(errors.read, waits[2].revents, end.errors);
    }
}

} // namespace

result<subprocess_end> run_command(const subprocess& command) {
    auto words = command.words;
    if (words.empty())
        return error(error_code(ENOENT, boost::system::system_category()), "no program");
    auto variables = environment_with(command.variables);
    auto input = make_pipe(), output = make_pipe(), errors = make_pipe();
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
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    ::pid_t child = 0;
    const int failed = ::posix_spawnp(&child, words[0].c_str(), &actions, &attributes,
                                      pointers(words).data(), pointers(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (failed != 0) return error(error_code(failed, boost::system::system_category()), words[0]);
    input.read = {};
    output.write = {};
    errors.write = {};
    subprocess_end end;
    converse(input, output, errors, command.input, end);
    int status = 0;
    do {
        if (has_to_end()) ::kill(child, SIGKILL);
    } while (::waitpid(child, &status, 0) < 0 && errno == EINTR);
    end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return end;
}

} // namespace pipit::cli
