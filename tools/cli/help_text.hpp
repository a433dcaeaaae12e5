// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cli/command_tree.hpp>

#include <string>
#include <vector>

namespace pipit::cli {

/// What `--help` shows of the last command of a path: usage, description, arguments, options,
/// commands, examples, and the options of those above it.
[[nodiscard]] std::string help_text(const std::vector<const command*>& path, bool coloured);

/// `pipit pub [option]… <subject> [payload]`.
[[nodiscard]] std::string usage_line(const std::string& path, const command& chosen);

/// The left column of an option: `-H, --header NAME:VALUE`.
[[nodiscard]] std::string option_heading(const option& each);
/// Its help with what is taken, whether it repeats, and the variable that says the same.
[[nodiscard]] std::string option_help(const option& each);

/// A manual page, in section 1, in troff's man macros. `path` is `pipit context add`; `shared` are
/// the options of the commands above.
[[nodiscard]] std::string manual_page(const std::string& path, const command& chosen,
                                      const std::vector<option>& shared,
                                      const std::string& version);
/// `pipit-context-add.1`.
[[nodiscard]] std::string manual_file_name(const std::string& path);

} // namespace pipit::cli
