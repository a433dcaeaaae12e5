// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/command_tree.hpp>

#include <string>
#include <vector>

namespace pipit::cli {

/// A command of the root that takes options of its own in place of all others, which another
/// parser reads, as long as none of its commands follows.
struct bare_command {
    std::string name; ///< Empty: there is none.
    std::vector<option> options = {};
};

/// A script that makes the shell complete commands, options and values of the program.
[[nodiscard]] std::string bash_completion(const command& root, const bare_command& bare = {});
[[nodiscard]] std::string zsh_completion(const command& root, const bare_command& bare = {});
[[nodiscard]] std::string fish_completion(const command& root, const bare_command& bare = {});

} // namespace pipit::cli
