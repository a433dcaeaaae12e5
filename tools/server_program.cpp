// SPDX-License-Identifier: Apache-2.0
#include <server_program.hpp>

#include <pipit/net/clock.hpp>
#include <pipit/net/random_bytes.hpp>
#include <pipit/server/command_line.hpp>
#include <pipit/server/server.hpp>
#include <pipit/server/signals.hpp>
#include <pipit/server/system_config_source.hpp>

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <link.h>
#include <malloc.h>
#include <memory>
#include <new>
#include <string>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace pipit {
namespace {

int end(const server::program_end& how) {
    std::fwrite(how.output.data(), 1, how.output.size(), stdout);
    std::fwrite(how.error_output.data(), 1, how.error_output.size(), stderr);
    return how.exit_code;
}

std::string program_name(std::string_view path) {
    const auto slash = path.rfind('/');
    return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

/// Overwrites the values of flags that are secrets where `ps` shows them, and returns what is left.
std::vector<std::string> redacted_arguments(std::span<char*> arguments) {
    constexpr std::array<std::string_view, 3> secrets = {"user", "pass", "auth"};
    const auto hide = [](char* text) { std::fill(text, text + std::strlen(text), '*'); };
    std::vector<std::string> shown;
    bool is_secret = false;
    for (char* const each : arguments) {
        std::string_view argument = each;
        if (is_secret) hide(each);
        is_secret = false;
        if (argument.starts_with('-')) {
            argument.remove_prefix(argument.starts_with("--") ? 2 : 1);
            const auto equals = argument.find('=');
            const auto name = argument.substr(0, equals);
            const auto found = std::find(secrets.begin(), secrets.end(), name) != secrets.end();
            if (found && equals != std::string_view::npos) hide(std::strchr(each, '=') + 1);
            is_secret = found && equals == std::string_view::npos;
        }
        shown.emplace_back(each);
    }
    return shown;
}

/// Obeys signals until the server has ended.
void serve(server::server& running) {
    while (!running.is_shut_down()) {
        long timeout = -1;
        if (const auto deadline = running.next_deadline()) {
            const auto left = *deadline - net::steady_now();
            const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
            timeout = std::max<long>(static_cast<long>(milliseconds), 0);
        }
        const auto received = server::wait_for_signal(timeout);
        if (running.is_shut_down()) return; // By itself, and that has woken this thread.
        if (!received) {
            running.expire(net::steady_now());
            continue;
        }
        running.log().info("Trapped \"" + std::string(received->name) + "\" signal");
        switch (received->command) {
        case server::signal_command::shut_down: running.shut_down(); break;
        case server::signal_command::shut_down_unless_lame_duck:
            if (!running.is_lame_duck()) running.shut_down();
            break;
        case server::signal_command::reload: (void)running.reload(); break;
        case server::signal_command::reopen_log: running.reopen_log(); break;
        case server::signal_command::lame_duck: running.enter_lame_duck(); break;
        }
    }
}

/// Lets go of the program's own pages that cannot be written, which are two thirds of what the
/// start has mapped, most of them for itself alone. What is used again comes back from the file.
void release_start_pages() {
    const auto release = [](dl_phdr_info* program, std::size_t, void*) {
        const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        for (std::size_t i = 0; i < program->dlpi_phnum; ++i) {
            const auto& segment = program->dlpi_phdr[i];
            if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
            const auto begin = (program->dlpi_addr + segment.p_vaddr) / page * page;
            const auto end = program->dlpi_addr + segment.p_vaddr + segment.p_memsz;
            ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
        }
        return 1; // The first one is the program, and its libraries are other people's, too.
    };
    ::dl_iterate_phdr(release, nullptr);
}

int run(const server::command_line& line, server::server_setup setup) {
    server::put_off_requests();
    const auto source = server::system_config_source();
    auto loaded = server::load_options(line, source);
    if (!loaded) return end(server::end_with_error(loaded.error().detail()));
    for (const auto& warning : loaded->warnings) std::fprintf(stderr, "%s\n", warning.c_str());
    if (const auto valid = server::validate_options(loaded->options); !valid) {
        return end(server::end_with_error(valid.error().detail()));
    }
    setup.loaded = std::move(*loaded);
    setup.plan_reload = [&line, source](const server::server_options& current) {
        return server::plan_reload(current, line, source);
    };
    server::block_signals();
    const auto running = server::server::start(std::move(setup));
    if (!running) return 1;
    release_start_pages();
    serve(**running);
    return 0;
}

/// As glibc is, small blocks that are freed wait on a list, and all of them are joined with their
/// neighbours when a large one is: that would hold a loop up for 150 ms after a connection with a
/// million subscriptions. So each is joined when it is freed.
void free_memory_evenly() {
#ifdef M_MXFAST
    ::mallopt(M_MXFAST, 0);
#endif
}

/// Without memory, threads or descriptors there is nothing to be done but to say so.
[[noreturn]] void end_without_means() {
    std::array<char, 256> text{};
    const auto say = [&text](const char* reason) {
        std::snprintf(text.data(), text.size(), "pipit-server: cannot go on: %s\n", reason);
    };
    try {
        if (std::current_exception()) throw;
        std::abort();
    } catch (const std::bad_alloc&) {
        say("there is not enough memory");
    } catch (const std::system_error& failed) {
        say(failed.code().message().c_str());
    } catch (const boost::system::system_error& failed) {
        say(failed.code().message().c_str());
    } catch (...) {
        std::abort();
    }
    (void)!::write(STDERR_FILENO, text.data(), std::strlen(text.data()));
    ::_exit(1);
}

} // namespace

int server_program(std::span<char*> arguments) {
    free_memory_evenly();
    std::set_terminate(end_without_means);
    const auto options = arguments.subspan(std::min<std::size_t>(arguments.size(), 1));
    const std::vector<std::string> words(options.begin(), options.end());
    const auto line = server::parse_command_line(words);
    if (const auto ended = server::end_without_server(line, server::system_config_source())) {
        return end(*ended);
    }
    if (line->action == server::command_action::send_signal) {
        const auto sent = server::send_signal(line->signal);
        return sent ? 0 : end(server::end_with_error(sent.error().detail()));
    }
    server::server_setup setup;
    setup.sink =
        std::make_shared<server::log_sink>(program_name(arguments.empty() ? "" : arguments[0]));
    setup.command_line = redacted_arguments(arguments);
    setup.seed = net::draw_seed();
    return run(*line, std::move(setup));
}

} // namespace pipit
