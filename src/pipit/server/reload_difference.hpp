// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/server/command_line.hpp>
#include <pipit/server/options.hpp>

#include <string>
#include <vector>

namespace pipit::server {

/// What a change asks of the running server, beyond telling its brokers.
enum class change_effect { none, logging, pid_file, ports_file };

struct option_change {
    std::string text; ///< For the log: `Reloaded: debug = true`.
    change_effect effect = change_effect::none;
};

/// What changed from the options that a server runs with to those that it is to run with, in
/// nats-server's order and words; users and accounts are always said to have been reloaded.
///
/// A port of -1 is the port that was found for it.
/// Errors: `errc::reload_not_supported` when something changed that needs a restart:
///         `config reload not supported for Port: old=4222, new=5222`. Nothing is to be applied
///         then.
[[nodiscard]] result<std::vector<option_change>> reload_difference(const server_options& current,
                                                                   const server_options& next);

struct reload_plan {
    loaded_options next;
    std::vector<option_change> changes;
    std::string done_text; ///< For the log, when all of it has been applied.
};

/// Reads the file and the flags of a running server again, and says what that changes.
/// Errors: those of `load_options`, `validate_options` and `reload_difference`, and
///         `errc::reload_not_supported` without a file. Nothing is to be applied then.
[[nodiscard]] result<reload_plan>
plan_reload(const server_options& current, const command_line& line, const config_source& source);

} // namespace pipit::server
