// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/command_tree.hpp>
#include <cli/drawing.hpp>
#include <cli/settings.hpp>

#include <pipit/base/error.hpp>

#include <string>
#include <string_view>

namespace pipit::cli {

/// What scripts can tell apart; a signal that ends unfinished work is 128 and its number.
namespace exit_code {
inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int wrong_usage = 2;
} // namespace exit_code

/// The running program: what was said for every command, and where it may speak.
struct program {
    program();

    // Set by the options of the root.
    connection_settings flags;
    bool json = false;
    bool no_colour = false;
    bool no_context = false;
    bool help = false;
    bool version = false;

    bool output_is_terminal = false;
    bool errors_are_terminal = false;
    environment variables;

    [[nodiscard]] bool coloured() const { return output_is_terminal && !no_colour; }
    /// Of the terminal; 80 by 24 without one.
    [[nodiscard]] graph_size terminal_size() const;

    /// To the standard output, which is written when enough has come, by `flush`, and at the end.
    /// Whoever closes a pipe that we write into has seen enough: then the program ends, quietly.
    void print(std::string_view text);
    void flush();
    /// A table for people on a terminal, for programs in a pipe.
    void print_table(const table& drawn);
    /// What happens, with the time of day, to the standard error.
    void note(std::string_view text) const;
    /// In place of the terminal's last line, on the standard error; an empty text clears it.
    void show_status(std::string_view text) const;
    /// `pipit: …` to the standard error; answers `exit_code::failed`.
    int fail(std::string_view what) const;
    int fail_usage(std::string_view what) const;

private:
    std::string pending_;
    bool output_is_abandoned_ = false; ///< Nobody read it when the end was asked for.
};

/// How far the local time is ahead then.
[[nodiscard]] std::chrono::seconds local_utc_offset(wall_time when);

/// Reads a whole file, `-` the standard input. Errors: the system's, with the path; a file beyond
/// `bytes_max` is one.
[[nodiscard]] result<std::string> read_file(const std::string& path, std::size_t bytes_max);
/// Replaces a file as a whole, readable by its owner alone.
[[nodiscard]] result<> write_private_file(const std::string& path, std::string_view text);
/// The error that `errno` stands for, with what it is about.
[[nodiscard]] error system_error(const std::string& about);

} // namespace pipit::cli
