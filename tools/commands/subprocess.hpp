// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipit::cli {

struct subprocess {
    std::vector<std::string> words; ///< The program, found on PATH, and its arguments; no shell.
    std::string_view input = {};    ///< Its standard input.
    std::vector<std::pair<std::string, std::string>> variables = {}; ///< More of the environment.
    bool joins_errors = false; ///< What it says to its standard error is part of the output.
};

struct subprocess_end {
    int exit_code = 0; ///< 128 and the signal's number when one ended it.
    std::string output;
    std::string errors;
};

/// Runs a program to its end. Blocks, at most until a second signal. What it writes is bounded by
/// 64 MiB.
/// Errors: the system's, with the program's name, when it cannot be started.
[[nodiscard]] result<subprocess_end> run_command(const subprocess& command);

} // namespace pipit::cli
