// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pipit/base/error.hpp>
#include <pipit/server/options_from_config.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipit::server {

enum class command_action {
    run,
    print_version,
    print_help,
    print_tls_help,
    check_configuration,
    send_signal,
};

/// What somebody typed.
struct command_line {
    command_action action = command_action::run;
    std::string config_file; ///< Empty: none.
    std::string signal;      ///< `reload`, `stop=1234` or `quit=/run/nats.pid`.
    /// The flags for options, each by its usual name, in their order; the last one wins.
    std::vector<std::pair<std::string_view, std::string>> flags;
};

/// Reads the arguments behind the program's name as nats-server does: one or two dashes, `-x v`
/// or `-x=v`, a boolean alone or with `=`.
///
/// Errors: `errc::unknown_flag` for what is no flag or has no such value, after which nats-server
///         shows its help; `errc::invalid_command_line` for other words.
[[nodiscard]] result<command_line> parse_command_line(const std::vector<std::string>& arguments);

/// A flag as it is typed, for those who offer them.
struct flag_shape {
    std::string names; ///< `-p,--port`
    bool takes_value = false;
};
[[nodiscard]] std::vector<flag_shape> known_flags();

/// The options that a server is to run with: its file's, over them the flags, and the defaults.
/// Errors: `errc::invalid_configuration`, `errc::unusable_file`, `errc::invalid_command_line`.
[[nodiscard]] result<loaded_options> load_options(const command_line& line,
                                                  const config_source& source);

/// How a program ends that starts no server.
struct program_end {
    int exit_code = 0;
    std::string output;       ///< To the standard output.
    std::string error_output; ///< To the standard error.
};

/// The end of a program that only prints something or checks its configuration, or that was
/// called in a wrong way; nothing when there is a server to run or a signal to send.
[[nodiscard]] std::optional<program_end> end_without_server(const result<command_line>& line,
                                                            const config_source& source);
/// The end of a program whose server does not start, and why, behind `nats-server: `.
[[nodiscard]] program_end end_with_error(std::string_view why);

/// `nats-server: v2.15.2` in the first line, for whoever asks for that; Pipit's own in the next.
[[nodiscard]] std::string version_text();
[[nodiscard]] std::string help_text();
[[nodiscard]] std::string tls_help_text();

} // namespace pipit::server
