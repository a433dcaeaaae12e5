// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/base/time.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipit::cli {

namespace asio = boost::asio;

/// How many may run beside each other, so that a second Ctrl-C finds and ends all of them.
inline constexpr std::size_t commands_at_once_max = 64;

struct subprocess {
    std::vector<std::string> words; ///< The program, found on PATH, and its arguments; no shell.
    std::string_view input = {};    ///< Its standard input.
    std::vector<std::pair<std::string, std::string>> variables = {}; ///< More of the environment.
    bool joins_errors = false; ///< What it says to its standard error is part of the output.
    std::size_t output_bytes_max = std::size_t{64} * 1024 * 1024; ///< Of each of the two.
};

struct subprocess_end {
    enum class kind { came_to_its_end, took_too_long, wrote_too_much };

    kind how = kind::came_to_its_end; ///< Otherwise it was killed.
    int exit_code = 0;                ///< 128 and the signal's number when one ended it.
    std::string output;
    std::string errors;
};

/// Runs a program to its end. Blocks, at most until a second signal. Whatever writes more than
/// `output_bytes_max` is cut off there.
/// Errors: the system's, with the program's name, when it cannot be started.
[[nodiscard]] result<subprocess_end> run_command(const subprocess& command);

/// The same beside whatever else the executor does. The program is the head of a process group, so
/// that a Ctrl-C is not for it; the whole group is killed when it takes `longest` (0: it may take
/// what it takes), writes too much, or the coroutine ends before it does.
/// Lifetime: what `command` views outlives the coroutine.
[[nodiscard]] asio::awaitable<result<subprocess_end>> run_command_beside(subprocess command,
                                                                         nanoseconds longest);

/// Kills what `run_command_beside` runs, for a program that ends at once.
void kill_commands() noexcept;

} // namespace pipit::cli
