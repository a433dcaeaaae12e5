// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/command_tree.hpp>
#include <commands/program.hpp>

namespace pipit::cli {

/// `server check` and what it checks.
[[nodiscard]] command check_command(program& with);

} // namespace pipit::cli
