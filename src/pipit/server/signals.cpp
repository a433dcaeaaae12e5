// SPDX-License-Identifier: Apache-2.0
#include <pipit/server/error.hpp>
#include <pipit/server/signals.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/types.h>
#include <unistd.h>
#include <vector>

namespace pipit::server {
namespace {

struct known_signal {
    int number;
    signal_command command;
    std::string_view name;
};

constexpr std::array known_signals{
    known_signal{SIGINT, signal_command::shut_down, "interrupt"},
    known_signal{SIGTERM, signal_command::shut_down_unless_lame_duck, "terminated"},
    known_signal{SIGHUP, signal_command::reload, "hangup"},
    known_signal{SIGUSR1, signal_command::reopen_log, "user defined signal 1"},
    known_signal{SIGUSR2, signal_command::lame_duck, "user defined signal 2"},
};

struct sendable_signal {
    std::string_view command;
    int number;
};

constexpr std::array sendable_signals{
    sendable_signal{"stop", SIGKILL},  sendable_signal{"quit", SIGINT},
    sendable_signal{"term", SIGTERM},  sendable_signal{"reopen", SIGUSR1},
    sendable_signal{"reload", SIGHUP}, sendable_signal{"ldm", SIGUSR2},
};

/// The names under which this program runs.
constexpr std::array<std::string_view, 3> process_names = {"nats-server", "pipit-server", "pipit"};

sigset_t signal_set() noexcept {
    sigset_t set;
    ::sigemptyset(&set);
    for (const auto& each : known_signals) ::sigaddset(&set, each.number);
    return set;
}

error failure(std::string text) { return {errc::invalid_command_line, std::move(text)}; }

std::optional<int> read_number(std::string_view text) {
    int number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// The first bytes of a small file; nothing when it cannot be read.
std::optional<std::string> read_start(const std::string& path) {
    const auto descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return std::nullopt;
    std::array<char, 256> bytes{};
    const auto count = ::read(descriptor, bytes.data(), bytes.size());
    ::close(descriptor);
    if (count < 0) return std::nullopt;
    return std::string(bytes.data(), static_cast<std::size_t>(count));
}

/// The servers that run, except this process.
std::vector<int> running_servers() {
    std::vector<int> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> processes(::opendir("/proc"), ::closedir);
    if (!processes) return found;
    while (const auto* entry = ::readdir(processes.get())) {
        const auto pid = read_number(entry->d_name);
        if (!pid || *pid == ::getpid()) continue;
        auto name = read_start("/proc/" + std::string(entry->d_name) + "/comm").value_or("");
        if (name.ends_with('\n')) name.pop_back();
        if (std::find(process_names.begin(), process_names.end(), name) != process_names.end()) {
            found.push_back(*pid);
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

result<std::vector<int>> addressees(std::string_view target) {
    const auto is_pattern = target.ends_with('*');
    const auto digits = is_pattern ? target.substr(0, target.size() - 1) : target;
    const auto pid = read_number(digits);
    // 0 and below are groups of processes, or all there are.
    if (!digits.empty() && (!pid || *pid <= 0)) {
        return failure("invalid pid: " + std::string(digits));
    }
    if (!digits.empty() && !is_pattern) return std::vector{*pid};

    auto running = running_servers();
    if (running.size() > 1 && !is_pattern) {
        std::string text = "multiple nats-server processes running:";
        for (const auto each : running) text += "\n" + std::to_string(each);
        return failure(text);
    }
    if (running.empty()) return failure("no nats-server processes running");
    std::erase_if(running, [&](int each) { return !std::to_string(each).starts_with(digits); });
    return running;
}

} // namespace

void put_off_requests() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const auto& each : known_signals) {
        const bool ends = each.number == SIGINT || each.number == SIGTERM;
        if (!ends) ::sigaddset(&set, each.number);
    }
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void block_signals() {
    const auto set = signal_set();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    // A peer or a reader of the log that is gone is an error to be handled where it happens, and so
    // is a file that may not grow any more.
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);
}

std::optional<received_signal> wait_for_signal(long timeout_milliseconds) {
    const auto set = signal_set();
    for (;;) {
        timespec timeout{timeout_milliseconds / 1000, timeout_milliseconds % 1000 * 1000000};
        const auto number = timeout_milliseconds < 0 ? ::sigwaitinfo(&set, nullptr)
                                                     : ::sigtimedwait(&set, nullptr, &timeout);
        if (number < 0 && errno == EINTR) continue;
        if (number < 0) return std::nullopt;
        const auto* known =
            std::find_if(known_signals.begin(), known_signals.end(),
                         [&](const known_signal& each) { return each.number == number; });
        return received_signal{known->command, known->name};
    }
}

bool is_told_to_end() noexcept {
    sigset_t waiting;
    if (::sigpending(&waiting) != 0) return false;
    return ::sigismember(&waiting, SIGINT) == 1 || ::sigismember(&waiting, SIGTERM) == 1;
}

result<> send_signal(std::string_view request) {
    const auto equals = request.find('=');
    const auto command = request.substr(0, equals);
    std::string target;
    if (equals != std::string_view::npos) target = request.substr(equals + 1);
    if (target.find('=') != std::string::npos) {
        return failure("invalid signal parameters: [" + target.substr(target.find('=') + 1) + "]");
    }
    if (auto pid = read_start(target)) target = *pid;

    const auto pids = addressees(target);
    if (!pids) return pids.error();
    const auto* known =
        std::find_if(sendable_signals.begin(), sendable_signals.end(),
                     [&](const sendable_signal& each) { return each.command == command; });
    if (known == sendable_signals.end()) {
        return failure("unknown signal \"" + std::string(command) + "\"");
    }
    std::string failures;
    for (const auto pid : *pids) {
        if (::kill(pid, known->number) == 0) continue;
        failures += "\nsignal \"" + std::string(command) + "\" " + std::to_string(pid) + ": " +
                    system_reason(errno);
    }
    if (!failures.empty()) return failure(failures);
    return {};
}

} // namespace pipit::server
