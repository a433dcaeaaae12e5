// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/command_tree.hpp>
#include <commands/program.hpp>

#include <memory>

namespace pipit::cli {

/// One of each command, with what it does.
/// Lifetime: `with` lives as long as they do.
[[nodiscard]] command pub_command(program& with);
[[nodiscard]] command sub_command(program& with);
[[nodiscard]] command request_command(program& with);
[[nodiscard]] command reply_command(program& with);
[[nodiscard]] command bench_command(program& with);
[[nodiscard]] command rtt_command(program& with);
[[nodiscard]] command latency_command(program& with);
[[nodiscard]] command top_command(program& with);
[[nodiscard]] command server_command(program& with);
[[nodiscard]] command context_command(program& with);

/// All of them below `pipit`, with the options that every command takes, `help` and `completion`.
[[nodiscard]] std::shared_ptr<const command> command_tree_of(program& with);

} // namespace pipit::cli
