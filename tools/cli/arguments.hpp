// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/command_tree.hpp>

#include <string>
#include <vector>

namespace pipit::cli {

/// What somebody typed, understood or not.
struct parsed_line {
    std::vector<const command*> path; ///< From the root to the command that was chosen.
    std::string complaint; ///< What is wrong; empty when nothing is, and the setters were called.

    [[nodiscard]] const command& chosen() const { return *path.back(); }
    /// `pipit context add`.
    [[nodiscard]] std::string path_text() const;
};

/// Reads the words behind the program's name and hands values to their setters. Options may stand
/// anywhere, also the root's behind a command; `--` ends them. `-o v`, `-ov`, `--opt v`, `--opt=v`.
///
/// Lifetime: of the path, that of `root`.
[[nodiscard]] parsed_line parse_arguments(const command& root,
                                          const std::vector<std::string>& words);

} // namespace pipit::cli
