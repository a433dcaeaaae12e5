// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/command_tree.hpp>

#include <string>

namespace pipit::cli {

/// A script that makes the shell complete commands, options and values of the program.
[[nodiscard]] std::string bash_completion(const command& root);
[[nodiscard]] std::string zsh_completion(const command& root);
[[nodiscard]] std::string fish_completion(const command& root);

} // namespace pipit::cli
